"""Where `sql/`, `migrations/` and the like are: inside the wheel, or in place in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def resource_directory(name: str) -> Path:
    """The directory `name` ("sql", "migrations", "templates" or "docs").

    Raises FileNotFoundError where the installation lacks it.
    """
    for candidate in (_PACKAGE / f"_{name}", _PACKAGE.parent.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"this installation of rowcast has no {name} directory")
