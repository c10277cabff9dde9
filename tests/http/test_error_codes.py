"""docs/error-codes.md names every code that an answer can have, with its status; and no other."""

import ast
import re

from rowcast import problems
from support import ROOT

_RAISED = re.compile(r"sqlstate 'PT(\d{3})'(?:(?!sqlstate).)*?hint = '([a-z_]+)'", re.DOTALL)
_REFUSED = re.compile(r"when '([a-z_]+)' then\s+raise sqlstate 'PT(\d{3})'")
_ROW = re.compile(r"^\| `([a-z_]+)` \| (?:(\d{3}) \|)?")


def in_sql() -> set[tuple[int, str]]:
    found = set()
    for file in [*(ROOT / "sql").rglob("*.sql"), *(ROOT / "migrations").rglob("*.sql")]:
        text = file.read_text()
        found |= {(int(status), code) for status, code in _RAISED.findall(text)}
        found |= {(int(status), code) for code, status in _REFUSED.findall(text)}
    return {(status, code) for status, code in found if status >= 400}


def in_python() -> set[tuple[int, str]]:
    found = {(status, code) for _, (status, code, _) in problems._SQLSTATES}
    for file in (ROOT / "server" / "rowcast").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            values = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args[:2]]
            match (node.func.id, *values):
                case "Problem", int(status), str(code):
                    found.add((status, code))
    return found


def in_docs() -> set[tuple[int, str]]:
    found, heading = set(), 0
    for line in (ROOT / "docs" / "error-codes.md").read_text().splitlines():
        if line.startswith("## "):
            heading = int(re.findall(r"\d{3}", line)[0])
        if row := _ROW.match(line):
            found.add((int(row[2] or heading), row[1]))
    return found


HTTP = {
    (400, "bad_request"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (413, "body_too_large"),
}
BUILT = {(404, "unknown_function")}  # raised by the dispatcher (logic.dispatcher_build)


def test_every_code_is_documented_with_its_status() -> None:
    assert in_sql()
    assert in_python()
    assert sorted((in_sql() | in_python() | HTTP | BUILT) - in_docs()) == []


def test_every_documented_code_exists() -> None:
    assert sorted(in_docs() - (in_sql() | in_python() | HTTP | BUILT)) == []


def test_the_codes_of_http_itself_are_those_of_the_application() -> None:
    text = (ROOT / "server" / "rowcast" / "app.py").read_text()
    for status, code in HTTP:
        assert f'"{code}"' in text, (status, code)
