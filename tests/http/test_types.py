"""types.d.ts: TypeScript of the collections, whatever their labels and options say."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import skip_or_fail
from support import ROOT, Client, Database

NASTY = [
    "*/ export const oops = 1; /*",
    'quote " and \\ back',
    "line\nbreak\r and \u2028 and \u2029",
    "`${x}` <script> // é 🎉",
    "*\\/ */",
]
_STRING = r'"(?:[^"\\\x00-\x1f\u2028\u2029]|\\(?:["\\/bfnrt]|u[0-9a-f]{4}))*"'
_KEY = rf"(?:[A-Za-z_$][\w$]*|{_STRING})"
_UNION = rf"{_STRING}(?: \| {_STRING})*"
_TYPE = rf"(?:string|number|boolean|unknown|string \| string\[\]|string \| null|{_UNION}"
_TYPE += rf"|\((?:string|{_UNION})\)\[\]|[A-Z]\w*)"
# Each line that there may be, whole.
_LINE = re.compile(
    "|".join(
        [
            "",
            r"// [^\u2028\u2029]*",
            r" *(?:/\*\* (?:(?!\*/)[^\x00-\x1f\u2028\u2029])*? ?\*/)",
            r"export interface [A-Z]\w*(?:<Collection extends string, Data>)? \{",
            rf"  {_KEY}\??: {_TYPE};",
            r"  \[key: string\]: unknown;",
            r"\}",
            rf"export type [A-Z]\w*Record = Envelope<{_STRING}, [A-Z]\w*Data>;",
        ]
    )
)


@pytest.fixture
def nasty(database: Database, workspace: str) -> None:
    """A collection whose labels, options and keys try to be something else."""
    database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix, position,"
        " unknown_fields) values (%s, 'test_run_2', 'test_runs', %s, 'TR', 9, 'refuse')",
        workspace,
        NASTY[0],
    )
    for n, text in enumerate(NASTY):
        database.run(
            "insert into core.field (workspace_id, collection, key, label, type, required, options,"
            " position) values (%s, 'test_run_2', %s, %s, 'select', %s,"
            " jsonb_build_array(%s::text, jsonb_build_object('value', 'ok'::text)), %s)",
            workspace,
            text if n else "plain",
            text,
            n == 0,
            text,
            n,
        )


async def types_of(client: Client, workspace: str) -> str:
    async with client.request("GET", f"/api/v1/workspaces/{workspace}/types.d.ts") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/typescript; charset=utf-8"
        return await response.text()


async def test_each_line_is_what_it_may_be_whatever_labels_and_options_say(
    client: Client, workspace: str, nasty: None
) -> None:
    text = await types_of(client, workspace)
    assert text.endswith("}\n")
    assert [line for line in text.split("\n") if not _LINE.fullmatch(line)] == []
    assert 'export type TestRun_2Record = Envelope<"test_run_2", TestRun_2Data>;' in text


async def test_it_says_types_labels_options_and_what_is_required(
    client: Client, workspace: str
) -> None:
    fields = [
        {"key": "title", "label": "The title", "type": "text", "required": True},
        {"key": "state", "type": "select", "options": ["a", "b c"]},
        {"key": "tags", "type": "multi_select", "options": ["x", "y"]},
        {"key": "free", "type": "multi_select"},
        {"key": "who", "type": "user"},
        {"key": "about", "type": "reference", "target": "task"},
        {"key": "extra", "type": "json"},
        {"key": "done", "type": "boolean", "required": True},
        {"key": "size", "type": "number"},
        {"key": "at", "type": "datetime"},
    ]
    body = {"key": "note", "label": "Notes", "unknownFields": "refuse", "fields": fields}
    await client.call("POST", f"/api/v1/workspaces/{workspace}/collections", body)
    text = await types_of(client, workspace)
    assert (
        """\
/** Notes */
export interface NoteData {
  /** The title */
  title: string;
  /** state */
  state?: "a" | "b c";
  /** tags */
  tags?: ("x" | "y")[];
  /** free */
  free?: (string)[];
  /** who */
  who?: string | string[];
  /** about */
  about?: string;
  /** extra */
  extra?: unknown;
  /** done */
  done: boolean;
  /** size */
  size?: number;
  /** at */
  at?: string;
}

export type NoteRecord = Envelope<"note", NoteData>;

/** The records of each collection, by its key. */
export interface Collections {
  task: TaskRecord;
  note: NoteRecord;
}
"""
        in text
    )
    assert "  [key: string]: unknown;\n}\n\nexport type TaskRecord" in text


async def test_it_stays_the_same_until_the_schema_changes(
    client: Client, workspace: str, records: str
) -> None:
    path = f"/api/v1/workspaces/{workspace}/types.d.ts"
    first = await client.send("GET", path)
    await client.call("POST", f"{records}?collection=task", {"data": {"title": "x"}})
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await client.send("GET", path, headers=known)).status == 304
    collections = f"/api/v1/workspaces/{workspace}/collections"
    await client.call("POST", collections, {"key": "note", "label": "Notes"})
    assert (await client.send("GET", path, headers=known)).status == 200


GOOD = """\
import type { Collections, Envelope, TaskData, TaskRecord, TestRun_2Data } from "./types";
const task: TaskData = { title: "a", status: "todo", tags: ["x"], other: 1 };
const record = (of: TaskRecord): string => of.displayId + of.data.title;
const any: Envelope<"task", TaskData> = null as unknown as Collections["task"];
const run: TestRun_2Data = { plain: "ok" };
console.log(task, record(any), run);
// @ts-expect-error: no such option
const wrong: TaskData = { title: "a", status: "gone" };
// @ts-expect-error: one is required
const without: TestRun_2Data = {};
// @ts-expect-error: it knows no other fields
const more: TestRun_2Data = { plain: "ok", another: 1 };
// @ts-expect-error: not that collection
const other: Envelope<"task", TaskData> = null as unknown as Collections["test_run_2"];
console.log(wrong, without, more, other);
"""


def compiler() -> str | None:
    """A TypeScript compiler: the one on the path, or that of the web packages."""
    found = os.environ.get("ROWCAST_TSC") or shutil.which("tsc")
    web = sorted(ROOT.glob("web/**/node_modules/.bin/tsc"))
    return found or (str(web[0]) if web else None)


async def test_a_typescript_compiler_takes_it_and_tells_faults_by_it(
    client: Client, workspace: str, nasty: None, tmp_path: Path
) -> None:
    tsc = compiler()
    if tsc is None:
        skip_or_fail("there is no TypeScript compiler (tsc) here")
        return
    (tmp_path / "types.d.ts").write_text(await types_of(client, workspace))
    (tmp_path / "use.ts").write_text(GOOD)
    command = [tsc, "--noEmit", "--strict", "--lib", "es2020,dom", "use.ts", "types.d.ts"]
    made = await asyncio.to_thread(
        subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout
