"""The real issues, or where their file is not here, made ones of the same shape."""

import csv

import pytest

from issue_file import Issues, made_issues
from support import real_data


@pytest.fixture(scope="session")
def issues(tmp_path_factory: pytest.TempPathFactory) -> Issues:
    file, real = real_data("android-issues.csv"), True
    if file is None:
        file, real = tmp_path_factory.mktemp("made") / "android-issues.csv", False
        file.write_bytes(made_issues().encode())
        print("the real issues are not here: made ones of the same shape stand in for them")
    # a copy, since rejected rows are written beside the file
    copy = tmp_path_factory.mktemp("issues") / "android-issues.csv"
    copy.write_bytes(file.read_bytes())
    with copy.open(newline="", encoding="utf-8") as text:
        return Issues(copy, list(csv.DictReader(text)), real)
