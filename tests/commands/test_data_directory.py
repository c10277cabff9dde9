"""Where the embedded database is kept, and what is said where that can't be."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from rowcast.config import Settings, SettingsError, default_data_dir


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ROWCAST_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)


def test_root_keeps_it_where_the_account_of_postgres_can_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert Settings().data_dir == Path("/var/lib/rowcast")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/data/home", "/data/home/rowcast"),
        ("", "/home/ada/.local/share/rowcast"),
        ("relative", "/home/ada/.local/share/rowcast"),
    ],
)
def test_others_keep_it_where_xdg_says(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_DATA_HOME", given)
    assert default_data_dir() == Path(expected)


def test_a_setting_wins_over_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROWCAST_DATA_DIR", str(tmp_path))
    assert Settings().data_dir == tmp_path


def test_a_directory_that_cannot_be_made_is_named_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match=r"file/data can't be used .*set ROWCAST_DATA_DIR"):
        Settings(data_dir=tmp_path / "file" / "data").secret()


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first, again = Settings(data_dir=tmp_path).secret(), Settings(data_dir=tmp_path).secret()
    assert first == again
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_no_secret_is_guessed_for_a_database_of_ones_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr("host=db"))
    with pytest.raises(SettingsError, match="ROWCAST_SECRET_KEY"):
        settings.secret()
