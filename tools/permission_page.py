"""`make permissions`: makes docs/permissions.md of the table that the tests compare with.

With --check it only says whether the page is up to date, by its exit status.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from permissions.table import COLUMNS, Row, read

PAGE = Path(__file__).parent.parent / "docs" / "permissions.md"

_INTRODUCTION = """\
# Who may do what

Made by `make permissions` from `tests/permissions/permissions.txt`, which the tests in
`tests/permissions/` walk: every route and every function of schema `api`, by each of the people
below. Change the table, not this page.

A number is the HTTP status. `ok` stands for an answer of a function, and `none` for an answer
that leaves out what it is about: the record, or the workspace. What somebody may not know of is
"no such" thing to him: 404.

| column | who calls |
|---|---|
"""

_NOTES = """
The roles `own` and `other` are those of the template `requests`; Atlas's template has none such,
and gets one for this table. Roles are data: a workspace can change all but the owner's, and then
these rows hold for the tokens and not for the names.

Functions are called as the server calls them: those that read through `query`, those that write
through `batch_run` and `account_batch_run`, as the server's role. These three are judged by one
call through each. Nobody anonymous gets that far in a request; here he is an account that is
null. Of `stream_rights` a row is `ok`, and of `log_read` whether the stream of the caller would
be sent the record's creation.
"""


def page(rows: list[Row]) -> str:
    """The page, in Markdown."""
    legend = "".join(f"| {column} | {who} |\n" for column, who in COLUMNS.items())
    return _INTRODUCTION + legend + _NOTES + "".join(_sections(rows))


def _sections(rows: list[Row]) -> Iterator[str]:
    for section, members in groupby(rows, lambda row: row.section):
        yield f"\n## {section}\n\n| | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}\n"
        for row in members:
            label = f"`{row.name}`" + (f" {row.case}" if row.case else "")
            yield f"| {label} | {' | '.join(row.cells.values())} |\n"


def main() -> int:
    """Writes the page, or checks it; the exit status."""
    text = page(read())
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        print("docs/permissions.md is not what the table says: make permissions", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
