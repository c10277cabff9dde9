from collections.abc import Callable
from typing import Any

from psycopg.types.json import Jsonb

ADA, BOB, CLEO = (f"{n}{n}{n}{n}{n}{n}{n}{n}-0000-4000-8000-000000000000" for n in "abc")
NOBODY = "00000000-0000-0000-0000-000000000000"
AUDIENCE = "select logic.record_audience(%s, %s, %s)::text[]"


def test_nobody_stands_for_a_record_without_assignee(ask: Callable[..., Any]) -> None:
    assert ask(AUDIENCE, ADA, [], Jsonb({"owner": BOB})) == [ADA, NOBODY]
    assert ask(AUDIENCE, ADA, ["owner"], Jsonb({"title": BOB})) == [ADA, NOBODY]
    assert ask(AUDIENCE, ADA, ["owner"], Jsonb({"owner": []})) == [ADA, NOBODY]


def test_holds_creator_and_every_assignee_once(ask: Callable[..., Any]) -> None:
    data = {"owner": CLEO, "reviewers": [BOB, BOB, CLEO]}
    assert ask(AUDIENCE, ADA, ["owner", "reviewers"], Jsonb(data)) == [ADA, BOB, CLEO]


def test_an_assigned_record_without_creator_concerns_its_assignee_alone(
    ask: Callable[..., Any],
) -> None:
    assert ask(AUDIENCE, None, ["owner"], Jsonb({"owner": BOB})) == [BOB]
    assert ask(AUDIENCE, None, ["owner"], Jsonb({})) == [NOBODY]


def test_what_is_no_account_id_concerns_nobody(ask: Callable[..., Any]) -> None:
    for value in ("Ada Lovelace", 7, True, {"id": BOB}, [[BOB]], [None, 3, "x"], f"{BOB}\n{CLEO}"):
        assert ask(AUDIENCE, ADA, ["owner"], Jsonb({"owner": value})) == [ADA, NOBODY]
