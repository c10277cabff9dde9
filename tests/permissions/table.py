"""The table of permissions: who may call what, as permissions.txt says it."""

from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parent / "permissions.txt"

# The columns, in order: how the table heads them, and who they are.
COLUMNS = {
    "anon": "nobody has signed in",
    "strng": "a member, and the owner, of another workspace only",
    "view": "viewer",
    "comm": "commenter",
    "own": "requester, where the record is his own",
    "other": "requester, where the record is somebody else's",
    "edit": "editor",
    "admin": "admin",
    "owner": "owner, the only one",
    "gone": "was an admin, and is a member no more",
    "expir": "an admin whose token has expired",
    "disab": "an admin whose account is disabled",
}


@dataclass(frozen=True)
class Row:
    """What each column gets for one call; `case` tells calls of one name apart."""

    section: str
    name: str
    case: str
    cells: dict[str, str]


def parse(text: str) -> list[Row]:
    """The rows of the table. Raises ValueError for a line that is none.

    `== section`; a name at the start of a line; cells behind it, or behind the cases below it,
    which are indented; `#` starts a comment.
    """
    rows: list[Row] = []
    section = name = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "==":
            section = line[2:].strip()
            continue
        cells = words[-len(COLUMNS) :]
        filled = len(words) > len(COLUMNS) and all(is_cell(cell) for cell in cells)
        label = " ".join(words[: -len(COLUMNS)] if filled else words)
        if not line.startswith(" "):
            name = label
        elif not filled:
            raise ValueError(f"line {number} has not {len(COLUMNS)} cells: {line}")
        if filled:
            case = label if line.startswith(" ") else ""
            rows.append(Row(section, name, case, dict(zip(COLUMNS, cells, strict=True))))
    return rows


def is_cell(word: str) -> bool:
    """Whether a word is a status, or what stands for one."""
    return word in ("ok", "none") or (word.isdigit() and len(word) == 3)


def read() -> list[Row]:
    """The rows of the table as it stands."""
    return parse(TABLE.read_text())
