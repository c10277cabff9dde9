"""What can be typed into a search box, and what it finds."""

import random
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.conftest import Find, index_all, titles_found
from support import Client, Database

TITLES = [
    "French keyboard layout",
    "Keyboards",
    "The runner is running",
    "Happiness of the libraries",
    "foo-bar and x.y.com/path",
    "R&D <b>bold</b>",
    "The Who",
    "List<String> fails",
]


@pytest.fixture(scope="module", params=[False, True], ids=["not yet indexed", "indexed"])
def find_title(request: pytest.FixtureRequest, shared_database: Database) -> Find:
    """What a search finds of the titles above."""
    workspace = shared_database.workspace()
    for title in TITLES:
        shared_database.task(workspace, title=title)
    if request.param:
        index_all(shared_database, workspace)
    return partial(titles_found, shared_database, workspace)


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("keyboard", [1, 0]),
        ("KEYBOARDS", [1, 0]),
        ("keyb", [1, 0]),
        ("keyb french", [0]),
        ("french key", [0]),
        ("ke", [1, 0]),
        ("ke french", []),
        ("keyboard -french", [1]),
        ("keyboard -keyboard", []),
        ('"french keyboard"', [0]),
        ('"keyboard french"', []),
        ('"french keyb"', []),
        ('keyboard "layout', [0]),
        ("runs", [2]),
        ("runni", [2]),
        ("happin", [3]),
        ("library happiness", [3]),
        ("the keyboard", [1, 0]),
        ("who", [6]),
        ("foo-bar", [4]),
        ("bar", [4]),
        ("bold", [5]),
        ("R&D", [5]),
        ("List<String>", [7]),
        ("string list", [7]),
        ("missing", []),
        ("", []),
        ("  ", []),
        ("-", []),
        ('"', []),
        ("!!! & | ( ) : * <-> \\ ''", []),
        ("keyboard'; drop table core.record", []),
    ],
)
def test_finds(find_title: Find, q: str, found: list[int]) -> None:
    assert find_title(q) == [TITLES[n] for n in found]


def test_finds_all_but_what_holds_a_word(find_title: Find) -> None:
    wanted = [title for title in reversed(TITLES) if "eyboard" not in title]
    assert find_title("-keyboards") == wanted


def test_nothing_that_is_typed_is_an_error(shared_database: Database) -> None:
    query = "select (logic.search_query(%s, %s)).wanted::text"
    with shared_database.connect() as connection:

        @settings(max_examples=400, deadline=None)
        @given(
            st.sampled_from(["simple", "english", "german"]),
            st.text(
                st.sampled_from("ab1 \"'-\\:*&|!()<>@./é漢😀\t%_$")
                | st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
                max_size=40,
            ),
        )
        def check(language: str, q: str) -> None:
            connection.execute(query, [language, q])

        check()
        for q in ("漢" * 200, "a" * 200, "-" * 200, '"' * 200, "a " * 100, "😀" * 200):
            connection.execute(query, ["english", q])


WORDS = ["key", "keyboard", "ke", "board", "bo", "x", "Keys"]


def test_agrees_with_a_plain_oracle_in_the_simple_language(
    database: Database, workspace: str, find: Find, index: Callable[..., None]
) -> None:
    database.call("workspace_update", workspace, arguments={"language": "simple"})
    chance = random.Random(5)
    texts = [" ".join(chance.choices(WORDS, k=chance.randrange(1, 5))) for _ in range(30)]
    for number, text in enumerate(texts):
        database.task(workspace, title=f"{number} {text}")
    index()

    def holds(text: str, term: str, last: bool) -> bool:
        words = text.lower().split()
        if term.startswith('"'):
            return f" {term.strip(chr(34)).lower()} " in f" {' '.join(words)} "
        prefix = last or len(term) >= 3
        return any(w.startswith(term.lower()) if prefix else w == term.lower() for w in words)

    terms = st.sampled_from([*WORDS, "kEyb", "boa"]) | st.lists(
        st.sampled_from(WORDS), min_size=1, max_size=3
    ).map(lambda words: f'"{" ".join(words)}"')

    @settings(max_examples=60, deadline=None)
    @given(st.lists(terms, min_size=1, max_size=3), st.lists(st.sampled_from(WORDS), max_size=1))
    def check(wanted: list[str], unwanted: list[str]) -> None:
        q = " ".join([*(f"-{word}" for word in unwanted), *wanted])
        expected = [
            number
            for number, text in enumerate(texts)
            if all(holds(text, term, n == len(wanted) - 1) for n, term in enumerate(wanted))
            and not any(word.lower() in text.lower().split() for word in unwanted)
        ]
        assert sorted(int(title.split()[0]) for title in find(q)) == expected, q

    check()


def test_a_display_id_comes_first(database: Database, workspace: str, find: Find) -> None:
    for title in ("about TSK-001-0002", "the one", "TSK-1-2 tsk-001-2 again"):
        database.task(workspace, title=title)
    for q in ("TSK-001-0002", "tsk-001-0002", "TSK-1-2", " Tsk-001-2 "):
        found = find(q)
        assert (found[0], found.count("the one")) == ("the one", 1), q
        assert len(found) > 1, "and then what speaks of it"
    assert find("TSK-002-0002") == find("BUG-001-0002") == find("TSK-001-0009") == []
    database.run("delete from core.record where number = 2")
    assert "the one" not in find("TSK-001-0002")


def test_titles_weigh_more_than_texts_and_texts_more_than_comments(
    database: Database, workspace: str, find: Find
) -> None:
    said = database.task(workspace, title="said")["id"]
    database.call("comment_create", workspace, arguments={"id": said, "body": "zebra"})
    database.task(workspace, title="text", description="zebra")
    database.task(workspace, title="zebra")
    database.task(workspace, title="newer zebra")
    assert find("zebra") == ["zebra", "newer zebra", "text", "said"]
    database.task(workspace, title="zebra")
    newest = database.read("search", workspace, q="zebra", limit=1)["results"][0]
    assert newest["record"]["number"] == 5, "of equal ones the newest comes first"


def marked(result: dict[str, Any]) -> dict[str, str]:
    """The highlights of a result; fails where they hold any HTML but marks."""
    found: dict[str, str] = result["highlights"]
    for html in [*found.values(), *(c["highlight"] for c in result.get("comments", []))]:
        assert not re.search(r"[<>]", re.sub(r"</?mark>", "", html)), html
        assert "<mark>" in html
    return found


def test_highlights_are_html_with_nothing_but_marks(database: Database, workspace: str) -> None:
    evil = "<script>alert('x')</script> <mark>no</mark> \"quoted\" keyboards & co"
    task = database.task(workspace, title=evil, description="far " * 300 + evil + " away" * 300)
    database.call("comment_create", workspace, arguments={"id": task["id"], "body": evil})
    result = database.read("search", workspace, q="keyb -missing")["results"][0]
    found = marked(result)
    assert found["title"] == (
        "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &lt;mark&gt;no&lt;/mark&gt;"
        " &quot;quoted&quot; <mark>keyboards</mark> &amp; co"
    )
    assert len(found["description"]) < 700
    assert [marked(result), len(result["comments"])] == [found, 1]
    other = marked(database.read("search", workspace, q="script")["results"][0])
    assert "&lt;<mark>script</mark>&gt;" in other["title"]


async def test_a_workspace_speaks_a_language(
    database: Database, workspace: str, client: Client, find: Find, index: Callable[..., None]
) -> None:
    database.task(workspace, title="Die Häuser")
    index()
    path = f"/api/v1/workspaces/{workspace}"
    assert (await client.call("GET", path))["language"] == "english"
    assert find("haus") == []
    answer = await client.call("PATCH", path, {"language": "german"})
    assert (answer["language"], answer["name"]) == ("german", "Test")
    assert find("haus") == ["Die Häuser"], "at once"
    index()
    assert find("haus") == ["Die Häuser"]
    await client.call("PATCH", path, {"language": "simple", "name": "Plain"})
    assert find("haus") == []
    assert find("die") == ["Die Häuser"]
    for language in ("klingon", "", "pg_catalog.english", "English", "german'"):
        reply = await client.send("PATCH", path, {"language": language})
        problem = reply.problem(422, "unknown_language")
        assert [error["path"] for error in problem["errors"]] == ["language"]
    assert (await client.call("GET", path))["language"] == "simple"
