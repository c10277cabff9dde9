"""Whom a text mentions: by whole name, first name or e-mail address behind an @."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

Ask = Callable[..., Any]

PEOPLE = {
    "Ada Lovelace": "ada@example.org",
    "Ada Byron": "byron@example.org",
    "Bob": "bob.b@example.org",
    "Élodie du Châtelet": "elodie@example.org",
    "Mary-Ann O'Neill": "mary-ann+x@example.org",
    "Ann": "ann@example.org",
    "Bobby  Tables": "bobby@example.org",
}
IDS = {name: str(uuid.UUID(int=n + 1)) for n, name in enumerate(PEOPLE)}
NAMES = {account: name for name, account in IDS.items()}


def mentioned(ask: Ask, text: str) -> list[str]:
    """The names of those whom a text mentions, in order."""
    found = ask(
        "select logic.mentions_find(%s, %s::uuid[], %s, %s)::text[]",
        text, list(IDS.values()), list(PEOPLE), list(PEOPLE.values()),
    )  # fmt: skip
    return [NAMES[account] for account in found]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("@", []),
        ("Ada Lovelace", []),
        ("Hello @Ada Lovelace!", ["Ada Lovelace"]),
        ("@ada lovelace", ["Ada Lovelace"]),
        ("@ADA\n LOVELACE, look", ["Ada Lovelace"]),
        ("@ada", ["Ada Lovelace", "Ada Byron"]),
        ("@Ada Byron and @bob", ["Ada Byron", "Bob"]),
        ("@bob, @bob and @Bob", ["Bob"]),
        ("@bobby", ["Bobby  Tables"]),
        ("@Bobby Tables", ["Bobby  Tables"]),
        ("@bobb", []),
        ("@Ada Lovelaces", ["Ada Lovelace", "Ada Byron"]),
        ("@élodie", ["Élodie du Châtelet"]),
        ("@ÉLODIE DU CHÂTELET", ["Élodie du Châtelet"]),
        ("@mary-ann o'neill.", ["Mary-Ann O'Neill"]),
        ("@mary-ann", ["Mary-Ann O'Neill"]),
        ("@ann", ["Ann"]),
        ("@byron@example.org", ["Ada Byron"]),
        ("@ada@example.org", ["Ada Lovelace"]),
        ("@Mary-Ann+X@example.org?", ["Mary-Ann O'Neill"]),
        ("write to bob.b@bob", []),
        ("x@bob", []),
        ("(@bob)", ["Bob"]),
        ("@@bob", ["Bob"]),
        ("@ bob", []),
        ("@ann @bob @ada byron", ["Ann", "Bob", "Ada Byron"]),
        ("@%", []),
        ("@.* @\\", []),
    ],
)
def test_a_name_behind_an_at_is_a_mention(ask: Ask, text: str, names: list[str]) -> None:
    assert mentioned(ask, text) == names


def test_of_nobody_nobody_is_mentioned(ask: Ask) -> None:
    assert ask("select logic.mentions_find('@ada', '{}', '{}', '{}')::text[]") == []
    assert ask("select logic.mentions_find('@ada', null, null, null)::text[]") == []


plain = st.text(st.characters(exclude_characters="@\0", exclude_categories=["Cs"]), max_size=20)


@given(before=plain, who=st.sampled_from(list(PEOPLE)), upper=st.booleans(), after=plain)
def test_who_is_written_between_other_words_is_found(
    ask: Ask, before: str, who: str, upper: bool, after: str
) -> None:
    handle = who.upper() if upper else who
    assert mentioned(ask, f"{before} @{handle}, {after}") == [who]


@given(text=plain)
def test_without_an_at_nobody_is_mentioned(ask: Ask, text: str) -> None:
    assert mentioned(ask, text) == []


@given(text=st.text(st.sampled_from(list("@ adboyrnlvce.@\n,")), max_size=60))
def test_who_is_mentioned_stands_there_by_a_handle_behind_an_at(ask: Ask, text: str) -> None:
    spaced = " ".join(text.lower().split())
    for name in mentioned(ask, text):
        whole = " ".join(name.lower().split())
        handles = (whole, whole.split()[0], PEOPLE[name])
        assert any(f"@{handle}" in spaced for handle in handles)


def test_thousands_of_places_among_a_thousand_people_take_no_time(ask: Ask) -> None:
    took = ask(
        """
        with asked as materialized (select clock_timestamp() as at),
        found as materialized (
          select logic.mentions_find(
            repeat('@p', 5000) || repeat(' @p1 x', 1500), array_agg(md5(n::text)::uuid),
            array_agg('P' || n || ' Name'), array_agg(n || '@example.org')) as ids
          from generate_series(1, 1000) n, asked)
        select extract(epoch from clock_timestamp() - asked.at)::float8
        from asked, found where cardinality(found.ids) >= 0
        """
    )
    assert took < 1
