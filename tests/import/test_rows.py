"""What becomes of the rows of a file, in every format, through the command."""

import json
from pathlib import Path

import pytest

from command_line import run
from support import Database


def imported(database: Database, workspace: str) -> list[dict[str, object]]:
    """The documents of a workspace in the order of their numbers."""
    rows = database.run(
        "select data from core.record where workspace_id = %s order by number", workspace
    )
    return [data for (data,) in rows]


def created(database: Database, workspace: str) -> list[str]:
    rows = database.run(
        "select to_char(created_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.MS')"
        " from core.record where workspace_id = %s order by number",
        workspace,
    )
    return [time for (time,) in rows]


@pytest.fixture
def workspace(database: Database) -> str:
    return database.workspace()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_a_bom_crlf_semicolons_quotes_and_line_breaks_in_a_cell_are_read(
    database: Database, workspace: str, file: Path
) -> None:
    file.write_bytes('\ufefftitle;owner\r\n"a;""b""\r\nc";Zoë\r\n\r\n'.encode())
    done = run("import", file, database=database)
    assert (done.returncode, done.stderr) == (0, "")
    assert imported(database, workspace) == [{"title": 'a;"b"\r\nc', "owner": "Zoë"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(
    database: Database, workspace: str, file: Path, delimiter: str
) -> None:
    file.write_text(f"title{delimiter}owner\nOne{delimiter}Ada\n")
    assert run("import", file, database=database).returncode == 0
    assert imported(database, workspace) == [{"title": "One", "owner": "Ada"}]


def test_a_mapped_column_gets_the_name_of_the_field_and_an_empty_cell_is_left_out(
    database: Database, workspace: str, file: Path
) -> None:
    file.write_text("Summary,owner,Extra\nOne,,x\n")
    assert run("import", file, "--map", "title=Summary", database=database).returncode == 0
    assert imported(database, workspace) == [{"title": "One", "Extra": "x"}]


def test_cells_become_what_their_fields_hold(
    database: Database, workspace: str, file: Path
) -> None:
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'billable', 'Billable', 'boolean')",
        workspace,
    )
    file.write_text("title,points,tags,billable\n1,+2.50,a; b,Yes\n2,12345678901234567890,c,0\n")
    assert run("import", file, database=database).returncode == 0
    first, second = imported(database, workspace)
    assert first == {"title": "1", "points": 2.5, "tags": ["a", "b"], "billable": True}
    assert second == {
        "title": "2",
        "points": 12345678901234567890,
        "tags": ["c"],
        "billable": False,
    }


@pytest.mark.parametrize("column", ["created_at", "createdAt", "created", "Opened"])
def test_times_of_creation_are_kept(
    database: Database, workspace: str, file: Path, column: str
) -> None:
    file.write_text(
        f"title,{column}\n1,2007-11-12T08:02:55Z\n2,2008-01-01 01:00:00.5+02:00\n3,2009-05-01\n"
    )
    options = ["--map", f"createdAt={column}"] if column == "Opened" else []
    assert run("import", file, *options, database=database).returncode == 0
    assert created(database, workspace) == [
        "2007-11-12 08:02:55.000",
        "2007-12-31 23:00:00.500",
        "2009-05-01 00:00:00.000",
    ]
    assert imported(database, workspace)[0] == {"title": "1"}


def test_ndjson_keeps_types_and_the_digits_of_numbers(
    database: Database, workspace: str, tmp_path: Path
) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_text(
        '{"title":"Ünïcode","points":0.12345678901234567890123,"deep":{"a":[1,null]},"none":null}\n'
        '\n{"title":"2","created":"2010-01-01T00:00:00Z"}\n'
    )
    assert run("import", file, database=database).returncode == 0
    text = database.value(
        "select data ->> 'points' from core.record where workspace_id = %s and number = 1",
        workspace,
    )
    assert text == "0.12345678901234567890123"
    first, second = imported(database, workspace)
    assert (first["title"], first["deep"]) == ("Ünïcode", {"a": [1, None]})
    assert "none" not in first
    assert second == {"title": "2"}


@pytest.mark.parametrize(
    "text",
    [
        '[{"title": "1"}, {"title": "2"}]',
        '{"total": 2, "page": {"of": [1]}, "rows": [\n{"title": "1"},\n{"title": "2"}], "x": "]"}',
    ],
)
def test_json_is_an_array_or_an_object_with_one(
    database: Database, workspace: str, tmp_path: Path, text: str
) -> None:
    (tmp_path / "rows.json").write_text(text)
    assert run("import", tmp_path / "rows.json", database=database).returncode == 0
    assert imported(database, workspace) == [{"title": "1"}, {"title": "2"}]


@pytest.mark.parametrize(
    "text",
    [
        "title\nOne\n",
        '{"title":"One"}\n',
        '[\n{"title":"One"}\n]',
        '{"r":\n[{"title":"One"}]}',
    ],
)
def test_the_format_of_standard_input_is_found_out(
    database: Database, workspace: str, tmp_path: Path, text: str
) -> None:
    done = run("import", "-", database=database, stdin=text.encode(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert imported(database, workspace) == [{"title": "One"}]


def test_bad_rows_are_reported_with_line_and_reason_and_kept_as_they_were(
    database: Database, workspace: str, file: Path
) -> None:
    bad = [
        b"short",
        b"\xff,1,,",
        b"nul\0,1,,",
        b"no number,three,,",
        b"no time,1,yesterday,",
        b'"open"x,1,,',
        b"too big,1,," + b"x" * 270_000,
    ]
    good = [b"first,1,,", b"last,2,,"]
    header = b"title,points,created_at,Notes"
    file.write_bytes(b"\r\n".join([header, good[0], *bad, good[1]]) + b"\r\n")
    done = run("import", file, database=database)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert [line.split(":")[0] for line in lines[:7]] == [f"line {n}" for n in range(3, 10)]
    for line, words in zip(
        lines,
        ["1 cells where", "UTF-8", "NUL", "'three' is no number", "'yesterday' is no time", "CSV",
         "256 KiB", "7 rows were rejected"],
        strict=True,
    ):  # fmt: skip
        assert words in line
    rejected = Path(f"{file}.rejected")
    assert rejected.read_bytes().splitlines() == [header, *bad]
    assert [row["title"] for row in imported(database, workspace)] == ["first", "last"]


@pytest.mark.parametrize("format_", ["ndjson", "json"])
def test_rejected_json_rows_make_a_file_of_the_same_format(
    database: Database, workspace: str, tmp_path: Path, format_: str
) -> None:
    rows = ['{"title":"1"}', '{"title":"\\u0000"}', '{"title":"2"}', '"none"', '{"t":"\\ud800"}']
    text = "\n".join(rows) if format_ == "ndjson" else f"[{','.join(rows)}]"
    file = tmp_path / f"rows.{format_}"
    file.write_text(text)
    done = run("import", file, database=database)
    assert done.returncode == 1
    assert [row["title"] for row in imported(database, workspace)] == ["1", "2"]
    rejected = Path(f"{file}.rejected").read_text()
    if format_ == "ndjson":
        assert rejected.splitlines() == [rows[1], rows[3], rows[4]]
    else:
        assert rejected == f"[\n{rows[1]},\n{rows[3]},\n{rows[4]}\n]\n"


def test_a_dry_run_finds_the_same_faults_and_writes_nothing(
    database: Database, workspace: str, file: Path
) -> None:
    file.write_text(f"title,points\nOne,1\nTwo,x\n{'x' * 270_000},1\n")
    before = database.run(
        "select (select count(*) from core.change), (select count(*) from core.transaction),"
        " (select count(*) from core.record)"
    )
    done = run("import", file, "--dry-run", database=database)
    assert done.returncode == 1
    assert done.stdout == (
        "1 would be created, 0 would be skipped (imported before), 2 would be rejected\n"
    )
    assert [line[:7] for line in done.stderr.splitlines()[:2]] == ["line 3:", "line 4:"]
    assert not Path(f"{file}.rejected").exists()
    after = database.run(
        "select (select count(*) from core.change), (select count(*) from core.transaction),"
        " (select count(*) from core.record)"
    )
    assert after == before
    run("import", file, database=database)
    again = run("import", file, "--dry-run", database=database)
    assert again.stdout.startswith("0 would be created, 1 would be skipped")


def test_a_workspace_is_found_by_id_number_and_name_and_must_be_told_among_several(
    database: Database, file: Path
) -> None:
    first = database.workspace(name="First")
    second = database.workspace(owner="Bob", name="Second")
    database.run("update core.workspace set slug = 'two' where workspace_id = %s", second)
    number = str(database.value("select number from core.workspace where workspace_id = %s", first))
    for n, (word, workspace) in enumerate(
        [(first, first), (number, first), ("Second", second), ("two", second)]
    ):
        file.write_text(f"title\nrow {n}\n")
        assert run("import", file, "--workspace", word, database=database).returncode == 0
        assert {"title": f"row {n}"} in imported(database, workspace)
    done = run("import", file, database=database)
    assert done.returncode == 1
    assert "several workspaces" in done.stderr
    assert first in done.stderr


def test_the_records_are_the_owners_or_those_of_the_account_that_is_named(
    database: Database, workspace: str, file: Path
) -> None:
    editor = database.join(workspace, "Eve", "editor")
    file.write_text("title\nOne\n")
    run("import", file, database=database)
    run("import", file, "--as", "eve@example.org", database=database)
    rows = database.run(
        "select created_by::text from core.record where workspace_id = %s order by number",
        workspace,
    )
    assert rows == [(database.account("Ada"),), (editor,)]


def test_who_may_not_create_imports_nothing(database: Database, workspace: str, file: Path) -> None:
    database.join(workspace, "Vera", "viewer")
    database.account("Stranger")
    file.write_text("title\nOne\n")
    for email in ("Vera@example.org", "Stranger@example.org", "nobody@example.org"):
        done = run("import", file, "--as", email, database=database)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert imported(database, workspace) == []


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (b"", [], "empty"),
        (b"title,title\n1,2\n", [], "two columns named 'title'"),
        (b"title,\n1,2\n", [], "no name"),
        (b"a,b\n1,2\n", ["--map", "title=c"], "no column 'c'"),
        (b"a,title\n1,2\n", ["--map", "title=a"], "both give 'title'"),
        (b"a\n1\n", ["--map", "title"], "FIELD=COLUMN"),
        (b"a\n1\n", ["--collection", "nothing"], "no such collection"),
        (b"a\n1\n", ["--workspace", "nothing"], "no such workspace"),
        (b"a\n1\n", ["--format", "xml"], "csv, ndjson, json"),
        (b"\xff\xfea\0", [], "UTF-16"),
        (b"[1", ["--format", "json"], "not JSON"),
    ],
)
def test_what_is_wrong_with_the_whole_file_is_one_sentence(
    database: Database, workspace: str, file: Path, text: bytes, options: list[str], words: str
) -> None:
    file.write_bytes(text)
    done = run("import", file, *options, database=database)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert words in done.stderr


def test_a_file_that_is_not_there_is_one_sentence(database: Database, tmp_path: Path) -> None:
    done = run("import", tmp_path / "none.csv", database=database)
    assert done.returncode == 1
    assert "No such file" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_row_of_many_lines_that_never_ends_is_rejected_in_bounded_memory(
    database: Database, workspace: str, file: Path
) -> None:
    with file.open("w") as text:
        text.write('title\nfirst\n"open')
        for n in range(3 * 64):
            text.write(f"\nline {n}" + "x" * 16_000)
        text.write('\n"last"\n')
    done = run("import", file, database=database)
    assert done.returncode == 1
    assert "longer than 1 MiB" in done.stderr.splitlines()[0]
    assert {"title": "last"} in imported(database, workspace)


def test_many_columns_of_json_survive_as_they_are(
    database: Database, workspace: str, tmp_path: Path
) -> None:
    documents = [{f"k{k}": k * n for k in range(40)} | {"title": str(n)} for n in range(30)]
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(documents, indent=2))
    assert run("import", file, database=database).returncode == 0
    assert imported(database, workspace) == documents
