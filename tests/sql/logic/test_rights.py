"""core.tokens, core.granted, core.permits and logic.role_tokens: rights are sets of tokens."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from support import Database

ADA = "aaaaaaaa-0000-4000-8000-000000000000"
BOB = "bbbbbbbb-0000-4000-8000-000000000000"
NOBODY = "00000000-0000-0000-0000-000000000000"

Entered = Callable[..., bool]


@pytest.fixture(scope="module")
def entered(shared_database: Database) -> Iterator[Entered]:
    """Asks for a truth with a role's tokens entered as ADA's."""
    with psycopg.connect(shared_database.admin) as connection:

        def ask(tokens: list[str], condition: str, *parameters: Any) -> bool:
            connection.rollback()
            connection.execute(
                "select set_config(name, logic.role_tokens(%s, %s), true)"
                " from unnest(array['rowcast.read', 'rowcast.may']) name",
                [tokens, ADA],
            )
            row = connection.execute(f"select {condition}".encode(), parameters).fetchone()
            assert row is not None
            return bool(row[0])

        yield ask


READ = "core.granted('rowcast.read', %s, %s::uuid[])"
CREATE = "core.permits('create', %s)"
DELETE = "core.permits('delete', %s, %s::uuid[])"


def test_a_record_has_a_token_for_each_of_its_audience(ask: Callable[..., Any]) -> None:
    assert ask("select core.tokens('task', %s::uuid[])", [ADA, NOBODY]) == [
        "*",
        "task",
        f"task:{ADA}",
        f"task:{NOBODY}",
    ]
    assert ask("select core.tokens('task', '{}')") == ["*", "task"]


@pytest.mark.parametrize(
    ("tokens", "sees"),
    [
        (["*"], {"task own", "task unassigned", "task other", "note own"}),
        (["task"], {"task own", "task unassigned", "task other"}),
        (["task:own"], {"task own"}),
        (["task:own", "task:unassigned"], {"task own", "task unassigned"}),
        (["task:unassigned"], {"task unassigned"}),
        (["note:own", "task:unassigned"], {"note own", "task unassigned"}),
        (["task", "*"], {"task own", "task unassigned", "task other", "note own"}),
        ([], set()),
        (["tas"], set()),
        (["tasks"], set()),
        (["own"], set()),
    ],
)
def test_a_role_sees_what_shares_a_token_with_it(
    entered: Entered, tokens: list[str], sees: set[str]
) -> None:
    audiences = {
        "task own": ("task", [BOB, ADA]),
        "task unassigned": ("task", [BOB, NOBODY]),
        "task other": ("task", [BOB]),
        "note own": ("note", [ADA]),
    }
    seen = {name for name, record in audiences.items() if entered(tokens, READ, *record)}
    assert seen == sees


def test_no_setting_at_all_grants_nothing(ask: Callable[..., Any]) -> None:
    for reset in ("", "select set_config('rowcast.read', '', false);"):
        if reset:
            ask(reset)
        assert not ask(f"select {READ}", "task", [ADA])
        assert not ask(f"select {CREATE}", "task")


def test_a_verb_is_permitted_by_its_own_tokens_alone(entered: Entered) -> None:
    assert entered(["create:*"], CREATE, "task")
    assert entered(["create:task"], CREATE, "task")
    assert not entered(["create:note", "delete:task", "*", "task"], CREATE, "task")
    assert not entered([], CREATE, "task")
    assert not entered(["create:task:own"], CREATE, "task"), "who creates has no record yet"


def test_a_verb_on_a_record_can_be_permitted_by_its_audience(entered: Entered) -> None:
    assert entered(["delete:task:own"], DELETE, "task", [BOB, ADA])
    assert entered(["delete:task:unassigned"], DELETE, "task", [BOB, NOBODY])
    assert not entered(["delete:task:own"], DELETE, "task", [BOB])
    assert not entered(["delete:task:own"], DELETE, "note", [ADA])
