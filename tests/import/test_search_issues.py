"""What a search finds in the 4,000 issues, before and after they are indexed."""

from typing import Any

from command_line import run
from issue_file import Issues
from support import Database

ACCENT = "no accent in android's french keyboard"
SWISS = "Swiss French locale selects wrong keyboard layout (AZERTY instead of QWERTZ)"


def titles(database: Database, workspace: str, q: str) -> list[str]:
    found: list[dict[str, Any]] = database.read("search", workspace, q=q)["results"]
    return [result["record"]["data"]["title"] for result in found]


def test_imported_issues_are_found_by_what_a_person_types(
    database: Database, issues: Issues
) -> None:
    workspace = database.workspace()
    done = run("import", issues.file, "--map", "issueStatus=status", database=database)
    assert done.returncode == 0, done.stderr
    query = "select trusted.search_index(array[%s]::uuid[], 700)"
    if not issues.real:
        first = titles(database, workspace, "grösse falsch 17")
        assert first[:1] == ["Größe falsch 17"] or first == []
        return
    french = titles(database, workspace, "keyboard french")
    rounds = 0
    while database.value(query, workspace)["behind"]:
        rounds += 1
    assert rounds == 5, "700 at a time"
    assert french == titles(database, workspace, "keyboard french") == [ACCENT] * 6 + [SWISS]
    assert titles(database, workspace, "french keyb") == french
    assert titles(database, workspace, '"french keyboard"') == [ACCENT] * 6
    assert titles(database, workspace, "swiss")[:1] == [SWISS]
    assert titles(database, workspace, "bluetooth headset")[:3] == [
        "Sound Error With Bluetooth Headset",
        "Bluetooth headset issue after 1.5 upgrade",
        "Strange Phone behavior with flaky Bluetooth headset",
    ]
    assert titles(database, workspace, "gps icon -bogus")[0] == (
        "GPS Icon appears when GPS is disabled"
    )
    assert titles(database, workspace, "TSK-001-0500")[0] == "number arrays in spinner adapters"
