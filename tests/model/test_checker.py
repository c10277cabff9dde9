"""The checker on histories made by hand: each kind of violation is found, and a clean one is."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from model.checker import main, violations
from model.history import Entry, History

A, B = "record a", "record b"


def change(seq: int, record: str, version: int, patch: Entry, before: Entry, by: str) -> Entry:
    """A row of the log."""
    created = version == 1
    return {
        "seq": seq,
        "action": "created" if created else "updated",
        "record_id": record,
        "version": version,
        "patch": None if created else patch,
        "before": None if created else before,
        "position": "m" if created else None,
        "position_before": None,
        "document": {"data": patch} if created else None,
        "inverse": None,
        "actor_id": "Ada",
        "transaction_id": by,
        "xid": "1",
    }


def state(version: int, **data: Any) -> Entry:
    """A record as a history has it."""
    return {"version": version, "data": data, "position": "m", "deleted": False}


def write(id_: str, at: float, seq: int, records: Entry, *operations: Entry, **more: Any) -> Entry:
    """An acknowledged write of Ada's, based on the first versions."""
    return {
        "type": "write",
        "client": "Ada",
        "server": 0,
        "id": id_,
        "request": {
            "operations": list(operations),
            "baseVersions": {} if seq == 2 else {A: 1, B: 1},
            "onConflict": "reject",
        },
        "started": at,
        "ended": at + 1,
        "outcome": "ok",
        "settled": True,
        "seq": seq,
        "records": records,
        **more,
    }


def event(client: str, at: float, row: Entry) -> Entry:
    """What a stream brought of a change."""
    told = {"seq": row["seq"], "record": row["record_id"], "version": row["version"]}
    name = f"task-{row['action']}"
    return {
        "type": "event", "client": client, "server": 0, "at": at, "name": name,
        "patch": row["patch"], **told,
    }  # fmt: skip


def setting(record: str, key: str, value: Any) -> Entry:
    return {"type": "set", "recordId": record, "key": key, "value": value}


def increment(record: str, by: int) -> Entry:
    return {"type": "increment", "recordId": record, "key": "n", "by": by}


def creating(record: str) -> Entry:
    return {"type": "create", "recordId": record, "collection": "task", "data": {"n": 0}}


LOG = [
    change(1, A, 1, {"n": 0}, {}, "create"),
    change(2, B, 1, {"n": 0}, {}, "create"),
    change(3, A, 2, {"n": 1}, {"n": 0}, "step"),
    change(4, B, 2, {"n": -1}, {"n": 0}, "step"),
    change(5, A, 3, {"title": "x"}, {"title": None}, "title"),
]
FIRST = {A: state(1, n=0), B: state(1, n=0)}
STEPPED = {A: state(2, n=1), B: state(2, n=-1)}
LAST = {A: state(3, n=1, title="x"), B: state(2, n=-1)}


def clean() -> History:
    """Two records are made, a step goes from one to the other, one gets a title; all is seen."""
    entries = [
        write("create", 0, 2, {A: state(1, n=0), B: state(1, n=0)}, creating(A), creating(B)),
        write("step", 2, 4, STEPPED, increment(A, 1), increment(B, -1)),
        {
            "type": "snapshot", "client": "Bob", "server": 1, "started": 4, "ended": 5, "seq": 4,
            "epoch": "e", "records": STEPPED, "applied": True,
        },
        {"type": "connected", "client": "Bob", "server": 1, "at": 5, "seq": 4},
        write("title", 6, 5, {A: state(3, n=1, title="x")}, setting(A, "title", "x")),
        {
            "type": "read", "client": "Ada", "server": 1, "started": 8, "ended": 9, "record": A,
            **state(3, n=1, title="x"),
        },
        event("Bob", 9, LOG[4]),
        *(event("Ada", 10, row) for row in LOG),
        {
            "type": "changes", "client": "Cid", "server": 0, "started": 11, "ended": 12,
            "since": 0, "seq": 5, "coalesced": False, "more": False, "reset": None,
            "changes": [
                {key: value for key, value in event("Cid", 0, row).items() if key != "at"}
                for row in LOG
            ],
        },
        *(
            {
                "type": "final", "client": client, "seq": 5, "epoch": "e", "records": LAST,
                "view": {key: record["data"] for key, record in LAST.items()},
            }
            for client in ("Ada", "Bob", "Cid")
        ),
        {
            "type": "end", "epoch": "e", "log": LOG, "tables": LAST, "snapshot": LAST,
            "transactions": [
                ["create", 1, 2, None], ["step", 3, 4, None], ["title", 5, 5, None]
            ],
        },
    ]  # fmt: skip
    return History(deepcopy(entries))


def of(history: History, type_: str, nth: int = 0) -> Any:
    """The nth entry of a type."""
    return list(history.of(type_))[nth]


def log(history: History) -> Any:
    return of(history, "end")["log"]


def forget_a_change(history: History) -> None:
    del log(history)[3]


def misremember_a_before(history: History) -> None:
    log(history)[3]["before"] = {"n": 7}


def lose_a_write(history: History) -> None:
    lost = write("lost", 7, 6, {}, setting(B, "title", 1))
    history.entries.insert(0, lost)


def do_nothing(history: History) -> None:
    """It was acknowledged, and should have changed something."""
    lose_a_write(history)
    of(history, "end")["transactions"].append(["lost", None, 5, None])
    of(history, "write")["seq"] = 5


def forget_an_id(history: History) -> None:
    del of(history, "end")["transactions"][2]


def apply_twice(history: History) -> None:
    log(history).append(change(6, A, 4, {"n": 2}, {"n": 1}, "step"))


def write_the_refused(history: History) -> None:
    of(history, "write", 2)["outcome"] = "refused"


def write_the_refused_after_a_lost_answer(history: History) -> None:
    refused = of(history, "write", 2)
    refused["outcome"] = "refused"
    history.entries.insert(0, {**refused, "outcome": "unknown"})


def write_over_unseen(history: History) -> None:
    """Both based on version 1 of A, both said the title."""
    step = of(history, "write", 1)
    step["request"]["operations"].append(setting(A, "title", "w"))
    step["records"][A]["data"]["title"] = "w"
    log(history)[2].update(patch={"n": 1, "title": "w"}, before={"n": 0, "title": None})
    log(history)[4]["before"] = {"title": "w"}


def lose_a_step(history: History) -> None:
    of(history, "write", 1)["request"]["operations"][0]["by"] = 2


def lose_an_insertion(history: History) -> None:
    insert = {"type": "list-insert", "recordId": A, "key": "tags", "value": "t"}
    of(history, "write", 1)["request"]["operations"].append(insert)


def tear_a_transaction(history: History) -> None:
    rows = log(history)
    rows[3], rows[4] = {**rows[4], "seq": 4}, {**rows[3], "seq": 5}
    of(history, "end")["transactions"][1:] = [["step", 3, 5, None], ["title", 4, 4, None]]


def answer_another_seq(history: History) -> None:
    of(history, "write", 1)["seq"] = 3


def answer_another_document(history: History) -> None:
    of(history, "write", 1)["records"][A]["data"]["n"] = 9


def answer_a_later_version(history: History) -> None:
    of(history, "write", 1)["records"][A] = LAST[A]


def put_elsewhere(history: History) -> None:
    move = {"type": "move", "recordId": A, "before": B}
    of(history, "write", 1)["request"]["operations"].append(move)
    log(history)[2].update(position="z", position_before="m")


def undo_something_else(history: History) -> None:
    """The title was to take the step back."""
    of(history, "end")["transactions"][1][3] = "title"


def refuse_for_nothing(history: History) -> None:
    conflict = {"recordId": B, "key": "title", "base": None, "yours": 1, "theirs": None}
    refused = write("refused", 7, 0, {}, setting(B, "title", 1))
    history.entries.insert(0, {**refused, "outcome": "refused", "conflicts": [conflict]})


def fail(history: History) -> None:
    failed = write("failed", 7, 0, {}, setting(B, "title", 1))
    history.entries.insert(0, {**failed, "outcome": "unknown", "settled": False, "status": 500})


def order_against_time(history: History) -> None:
    """The title was written before the step began, and stands behind it."""
    of(history, "write", 2).update(started=1.2, ended=1.5)


def snapshot_within_a_transaction(history: History) -> None:
    of(history, "snapshot").update(seq=3, records={A: state(2, n=1), B: state(1, n=0)}, started=2)


def snapshot_of_two_times(history: History) -> None:
    of(history, "snapshot")["records"][B] = state(1, n=0)


def read_what_nobody_wrote(history: History) -> None:
    of(history, "read")["data"] = {"n": 5}


def read_an_older_version(history: History) -> None:
    of(history, "read").update(state(2, n=1))


def read_an_older_version_of_anothers(history: History) -> None:
    of(history, "read").update(client="Bob", **state(2, n=1))


def read_backwards(history: History) -> None:
    of(history, "write", 2)["ended"] = 100
    history.entries.insert(6, {**of(history, "read"), "started": 6.1, "ended": 6.2})
    of(history, "read").update(state(2, n=1))


def old_snapshot(history: History) -> None:
    of(history, "snapshot").update(seq=2, records={A: state(1, n=0), B: state(1, n=0)})


def old_page_of_changes(history: History) -> None:
    of(history, "changes")["seq"] = 4
    del of(history, "changes")["changes"][4]


def pass_over_an_event(history: History) -> None:
    history.entries.remove(of(history, "event", 3))


def connect_further_on(history: History) -> None:
    of(history, "connected")["seq"] = 5


def coalesce(history: History, version: int = 3, **patch: Any) -> None:
    """The page of changes has each record once, from behind the second change on."""
    page = of(history, "changes")
    page.update(since=2, coalesced=True, changes=[page["changes"][4], page["changes"][3]])
    page["changes"][0].update(version=version, patch={"n": 1, "title": "x", **patch})
    history.entries.insert(
        history.entries.index(page),
        {**of(history, "snapshot"), "client": "Cid", "seq": 2, "records": FIRST, "started": -1},
    )


def coalesce_wrongly(history: History) -> None:
    coalesce(history, title="y")


def coalesce_too_little(history: History) -> None:
    coalesce(history, 2)


def invent_an_event(history: History) -> None:
    history.entries.append({**of(history, "event", 5), "seq": 6})


def falsify_an_event(history: History) -> None:
    of(history, "event")["patch"] = {"title": "y"}


def diverge(history: History) -> None:
    of(history, "final")["records"][A] = state(3, n=1, title="y")


def stay_in_the_old_epoch(history: History) -> None:
    of(history, "final")["epoch"] = "d"


def stay_behind(history: History) -> None:
    of(history, "final")["seq"] = 4


def keep_something_unconfirmed(history: History) -> None:
    of(history, "final")["view"][A] = {"n": 1, "title": "mine"}


def change_a_table(history: History) -> None:
    of(history, "end")["tables"][A]["data"]["n"] = 9


def test_a_clean_history_has_no_violation() -> None:
    assert violations(clean()) == []


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (forget_a_change, "gap"),
        (misremember_a_before, "wrong log"),
        (lose_a_write, "acknowledged but lost"),
        (do_nothing, "wrong result"),
        (forget_an_id, "forgotten"),
        (apply_twice, "applied twice"),
        (write_the_refused, "refused but written"),
        (write_the_refused_after_a_lost_answer, "refused but written"),
        (write_over_unseen, "lost update"),
        (lose_a_step, "wrong result"),
        (lose_an_insertion, "wrong result"),
        (tear_a_transaction, "torn transaction"),
        (answer_another_seq, "wrong answer"),
        (answer_another_document, "wrong answer"),
        (answer_a_later_version, "wrong answer"),
        (put_elsewhere, "wrong place"),
        (undo_something_else, "wrong undo"),
        (refuse_for_nothing, "refused for nothing"),
        (fail, "server error"),
        (order_against_time, "not in real time"),
        (snapshot_within_a_transaction, "torn snapshot"),
        (snapshot_of_two_times, "wrong snapshot"),
        (read_what_nobody_wrote, "invented"),
        (read_an_older_version, "stale read after own write"),
        (read_an_older_version_of_anothers, "stale read"),
        (read_backwards, "non-monotonic read"),
        (old_snapshot, "stale read"),
        (old_page_of_changes, "stale read"),
        (pass_over_an_event, "gap"),
        (connect_further_on, "gap"),
        (coalesce_wrongly, "wrong page"),
        (coalesce_too_little, "wrong page"),
        (invent_an_event, "invented"),
        (falsify_an_event, "wrong event"),
        (diverge, "not converged"),
        (stay_in_the_old_epoch, "reset not told"),
        (stay_behind, "not converged"),
        (keep_something_unconfirmed, "not converged"),
        (change_a_table, "not converged"),
    ],
)
def test_what_must_not_be_is_found(harm: Callable[[History], None], kind: str) -> None:
    history = clean()
    harm(history)
    assert kind in {violation.kind for violation in violations(history)}


def test_a_coalesced_page_does_what_its_changes_do() -> None:
    history = clean()
    coalesce(history)
    assert violations(history) == []


@pytest.mark.parametrize("coalesced", [False, True])
def test_a_page_that_says_reset_may_pass_over_changes(coalesced: bool) -> None:
    history = clean()
    page = of(history, "changes")
    page.update(changes=[], coalesced=coalesced)
    assert "gap" in {violation.kind for violation in violations(history)} or coalesced
    page["reset"] = {"reason": "expired"}
    restarted = {**of(history, "snapshot"), "client": "Cid", "seq": 5, "records": LAST}
    history.entries.insert(history.entries.index(page) + 1, {**restarted, "started": 13})
    assert violations(history) == []


def test_what_stood_before_it_in_its_queue_collides_with_nothing() -> None:
    history = clean()
    write_over_unseen(history)
    of(history, "write", 2)["earlier"] = ["step"]
    assert "lost update" not in {violation.kind for violation in violations(history)}


def test_a_write_whose_answer_was_lost_may_be_there_or_not() -> None:
    there = clean()
    of(there, "write", 2)["outcome"] = "unknown"
    assert violations(there) == []
    absent = clean()
    lost = {**write("lost", 7, 0, {}, setting(B, "title", 1)), "outcome": "unknown"}
    absent.entries.insert(0, lost)
    assert violations(absent) == []


def test_a_recorded_workload_is_judged_without_its_log_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def judged(history: History) -> tuple[int, bool]:
        path = history.save(tmp_path / "history.jsonl")
        return main(str(path)), "lost step" in capsys.readouterr().out

    assert judged(clean()) == (0, False)
    history = clean()
    lose_a_step(history)
    assert judged(history) == (1, False)
    of(history, "end")["tables"][A]["data"]["kind"] = "counter"
    assert judged(history) == (1, True)
