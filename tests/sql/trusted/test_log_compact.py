"""A trimmed log reads above its floor as it did before, to the byte; below are baselines."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from record_table import Table
from support import Database
from trimming import faults, floor_of, trim

READERS = ("Ada", "Bob")  # the owner; an engineer, who sees what is his or nobody's

ACTS = st.one_of(
    st.tuples(st.just("create"), st.sampled_from([None, "Ada", "Bob"])),
    st.tuples(st.just("title"), st.integers(0, 3)),
    st.tuples(st.just("hours"), st.sampled_from([None, 1, 2])),
    st.tuples(st.just("assign"), st.sampled_from([None, "Ada", "Bob"])),
    st.tuples(st.just("step"), st.integers(1, 2)),
    st.tuples(st.just("several"), st.integers(0, 3)),
    st.tuples(st.just("move"), st.none()),
    st.tuples(st.just("delete"), st.none()),
    st.tuples(st.just("restore"), st.none()),
    st.tuples(st.just("comment"), st.none()),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.just("redo"), st.none()),
    st.tuples(st.just("psql"), st.integers(0, 9)),
    st.tuples(st.just("member"), st.sampled_from(["viewer", None])),
)


class History:
    """A workspace in which things happen, and all that it shows."""

    def __init__(self, database: Database, connection: psycopg.Connection[Any]) -> None:
        self.database = database
        self.connection = connection
        self.workspace = database.workspace(template="requests")
        database.join(self.workspace, "Bob", "engineer")
        self.records: list[str] = []
        self.calls: list[dict[str, Any]] = []

    def act(self, actor: str, kind: str, value: Any, place: int) -> None:
        """Does something; what is refused does not matter."""
        record = self.records[place % len(self.records)] if self.records else str(uuid.uuid4())
        patch = {
            "title": {"title": f"Title {value}"},
            "hours": {"estimatedHours": value},
            "assign": self._assigned(value) if kind == "assign" else {},
        }
        if kind == "psql":
            self.database.run(
                "update core.record set data = data || jsonb_build_object('vendor', %s::text)"
                " where workspace_id = %s and id = %s",
                f"V{value}", self.workspace, record,
            )  # fmt: skip
        elif kind == "member" and value:
            self.database.join(self.workspace, "Eve", value)
        elif kind == "member":
            self._call("Ada", "member_remove", account=self.database.account("Eve"))
        elif kind == "create":
            data = {"title": "New", "description": "D", "vendor": "V", **self._assigned(value)}
            made = self._call(actor, "record_create", collection="request", data=data)
            self.records += [made["id"]] if made else []
        elif kind in patch:
            self._call(actor, "record_update", id=record, patch=patch[kind])
        elif kind in ("step", "several"):
            steps = [{"type": "increment", "key": "estimatedHours", "by": value}]
            if kind == "several":
                steps = [{"type": "set", "key": "title", "value": f"All {value}"}]
            operations = [
                {**step, "recordId": each}
                for step in steps
                for each in (self.records if kind == "several" else [record])
            ]
            self._call(actor, "transaction_apply", operations=operations)
        elif kind == "comment":
            self._call(actor, "comment_create", id=record, body="Said")
        elif kind in ("undo", "redo"):
            self._call(actor, f"transaction_{kind}")
        else:
            self._call(actor, f"record_{kind}", id=record)

    def _assigned(self, name: str | None) -> dict[str, Any]:
        return {"assignedTo": self.database.account(name) if name else None}

    def _call(self, actor: str, function: str, **arguments: Any) -> Any:
        call = {
            "function": function,
            "workspace": self.workspace,
            "actor": actor,
            "arguments": arguments,
            "id": str(uuid.uuid4()),
        }
        before = self.last()
        reply = self.database.batch([call], self.connection)[0]
        if reply.state != "ok":
            return None
        if self.last() > before:
            self.calls.append({**call, "seq": reply.answer["seq"]})
        return reply.answer

    def last(self) -> int:
        """The last seq of its log."""
        return int(self.database.value("select seq from logic.log_position(%s)", self.workspace))

    def seen(self, floor: int) -> dict[str, Any]:
        """All that its members see of what is at the floor and above, by what was asked."""
        shown: dict[str, Any] = {}
        for actor in READERS:
            shown[f"{actor} now"] = self._read("snapshot", actor)
            for seq in range(floor, self.last() + 1):
                shown[f"{actor} at {seq}"] = self._read("snapshot", actor, at=seq)
                shown[f"{actor} since {seq}"] = [
                    self._read("changes", actor, since=seq, coalesce=coalesce)
                    for coalesce in (False, True)
                ]
            for activity in self._read("workspace_activity", actor, limit=200)["activities"]:
                shown[f"{actor} activity {activity['seq']}"] = activity
            for way, writes in self._read("undo_list", actor).items():
                for write in writes if way != "since" else ():
                    shown[f"{actor} {way} {write['seq']}"] = write
        for event in self._read("audit_list", "Ada", limit=200)["events"]:
            shown[f"audit {event['seq']}"] = event
        return shown

    def _read(self, function: str, actor: str, **arguments: Any) -> Any:
        row = self.connection.execute(
            "select answer from api.query(%s, %s, %s, null, null, %s)",
            [function, self.database.account(actor), self.workspace, json.dumps(arguments)],
        ).fetchone()
        assert row is not None
        return json.loads(row[0])

    def repeated(self) -> dict[int, Any]:
        """What the writes that changed something answer when they come again, by their seq."""
        return {call["seq"]: self._again(call) for call in self.calls}

    def undone(self, actor: str, floor: int) -> Any:
        """What an undo would answer, where it takes back something above the floor; else None."""
        if all(undo["seq"] <= floor for undo in self._read("undo_list", actor)["undo"]):
            return None
        call = {"function": "transaction_undo", "actor": actor, "workspace": self.workspace}
        with self.connection.transaction(force_rollback=True):
            return self._again(call)

    def _again(self, call: dict[str, Any]) -> Any:
        reply = self.database.batch([call], self.connection)[0]
        return [reply.state, _timeless(reply.answer)]


def _timeless(answer: Any) -> Any:
    """An answer without what differs each time: ids of writes, and times."""
    if isinstance(answer, dict):
        return {
            key: _timeless(value)
            for key, value in answer.items()
            if key not in ("updatedAt", "at", "deletedAt") and not (key == "id" and "seq" in answer)
        }
    return [_timeless(each) for each in answer] if isinstance(answer, list) else answer


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The server's connection."""
    with database.connect_server() as connection:
        yield connection


@settings(
    max_examples=5,
    phases=[Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(READERS), ACTS, st.integers(0, 5)), min_size=8, max_size=20
    ),
    share=st.floats(0, 1),
    rows=st.sampled_from([1, 2, 5, 100]),
)
def test_what_is_above_the_floor_reads_as_it_did_before(
    database: Database,
    connection: psycopg.Connection[Any],
    acts: list[tuple[str, tuple[str, Any], int]],
    share: float,
    rows: int,
) -> None:
    history = History(database, connection)
    for n, (actor, (kind, value), place) in enumerate([("Ada", ("create", None), 0), *acts]):
        history.act(actor, kind, value, place + n)
    last = history.last()
    before, repeats = history.seen(0), history.repeated()
    undone = {floor: [history.undone(who, floor) for who in READERS] for floor in range(last)}
    floor = trim(database, history.workspace, int(share * last), rows)
    assert floor <= min(int(share * last), last - 1)
    after = history.seen(floor)
    assert after == {key: value for key, value in before.items() if _is_above(key, floor)}
    for seq, answer in history.repeated().items():
        assert answer == repeats[seq] if seq > floor else answer[1]["hint"] == "transaction_expired"
    assert [history.undone(who, floor) for who in READERS] == undone[floor]
    assert faults(database) == {}


def _is_above(key: str, floor: int) -> bool:
    """Whether what was asked is about the floor, or something above it."""
    asked, seq = key.split()[-2:]
    return seq == "now" or int(seq) >= floor + (asked not in ("at", "since"))


def test_of_each_record_its_last_change_is_left_as_a_baseline(table: Table) -> None:
    one, two, young = (table.insert(title=title) for title in ("One", "Two", "Young"))
    table.update(one, 'data = data || \'{"title": "Won"}\'')
    table.update(two, "deleted_at = now()")
    table.database.run("select logic.notice_append(%s, 'comment', 'x', '{}')", table.workspace)
    table.update(young, 'data = data || \'{"title": "Old"}\'')
    table.update(young, 'data = data || \'{"title": "Older"}\'')
    before = {change["seq"]: change for change in table.log()}
    assert trim(table.database, table.workspace, 8, rows=2) == 8
    left = {change["seq"]: change for change in table.log()}
    assert sorted(left) == [5, 6, 8, 9]
    assert left.pop(9) == before[9]
    for seq, change in left.items():
        kept = {"workspace_id", "seq", "at", "actor_id", "collection", "record_id", "version"}
        kept |= {"audience_after"}
        assert change["action"] == "baseline"
        assert {key for key, value in change.items() if value is not None} - {"action"} <= kept
        assert all(change[key] == before[seq][key] for key in kept)
    assert [left[seq]["record_id"] for seq in (5, 6, 8)] == [one, two, young]
    assert faults(table.database) == {}


def test_the_last_change_always_stays_and_times_and_seqs_go_on(table: Table) -> None:
    record = table.insert(title="One")
    far = "select trusted.log_compact(%s, 'infinity')"
    for last in (2, 3):
        assert table.database.value(far, table.workspace)["floor"] == last - 1
        assert table.seqs()[-1] == last
        table.update(record, "data = data || jsonb_build_object('title', %s::text)", str(last))
    assert table.log()[-1]["seq"] == 4
    assert table.log()[-1]["at"] >= table.log()[-2]["at"]
    assert faults(table.database) == {}


def test_what_the_search_index_has_not_read_stays(table: Table) -> None:
    database, far = table.database, "select trusted.log_compact(%s, 'infinity')"
    table.insert(title="One")
    database.run("select trusted.search_index(array[%s]::uuid[])", table.workspace)
    for title in ("Two", "Three"):
        table.insert(title=title)
    assert database.value(far, table.workspace)["floor"] == 2
    plan = database.value("select trusted.compact_plan(0)")["workspaces"][0]
    assert (plan["target"], plan["unread"]) == (2, 2)
    database.run("select trusted.search_index(array[%s]::uuid[])", table.workspace)
    assert database.value(far, table.workspace)["floor"] == 3
    head = database.value("select seq from core.search_head")
    assert head == 4, "it reads on where it was"


def test_a_write_is_kept_whole(table: Table) -> None:
    """Where its last change is young, and where a step ends within it."""
    database = table.database
    operations = [{"type": "create", "collection": "task", "data": {}}] * 5
    for _ in range(2):
        apply = {"operations": operations}
        database.call("transaction_apply", table.workspace, arguments=apply)
    for seq, floor in ((4, 1), (6, 6), (9, 6)):
        assert trim(database, table.workspace, seq) == floor
    table.insert(title="Last")
    first = "select trusted.log_compact(%s, 'infinity', 2)"
    assert database.value(first, table.workspace) == {"changes": 5, "floor": 11, "more": False}


def test_who_was_a_member_is_remembered(table: Table) -> None:
    """Once, however often he left; and he is named by no audit."""
    database = table.database
    for _ in range(2):
        account = database.join(table.workspace, "Eve", "viewer")
        database.run("delete from core.member where account_id = %s", account)
    ever = "select logic.members_ever(%s, array[%s]::uuid[])"
    table.insert(title="One")
    table.insert(title="Two")
    trim(database, table.workspace, 6, rows=1)
    assert floor_of(database, table.workspace) == 6
    assert table.seqs() == [5, 6, 7]
    assert database.value(ever, table.workspace, account) is True
    assert database.value(ever, table.workspace, database.account("Bob")) is False
    assert database.read("audit_list", table.workspace)["events"] == []


def test_doctor_finds_what_is_wrong_below_the_floor(table: Table) -> None:
    for title in ("One", "Two", "Three"):
        table.insert(title=title)
    trim(table.database, table.workspace, 3)
    for damage in (
        "delete from core.change where seq = 2",
        "update core.change set action = 'updated' where seq = 3",
        "update core.clock set floor = 2",
        "insert into core.change select (jsonb_populate_record(c, '{\"seq\": 1}')).*"
        " from core.change c where seq = 2",
    ):
        with table.database.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute(damage.encode())
            row = connection.execute("select trusted.installation_check()").fetchone()
            assert row is not None
            assert row[0]["baselines"] == [table.workspace], damage
    assert faults(table.database) == {}
