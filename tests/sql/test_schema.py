"""The loader of sql/ (server/rowcast/schema.py): what a load replaces, drops, keeps and refuses."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from rowcast.resources import resource_directory
from rowcast.schema import (
    Bundle,
    SchemaError,
    load_bundle,
    owner_conninfo,
    read_bundle,
    write_bundle_number,
)
from support import Database

TWICE = """-- Twice a number.
create or replace function logic.twice(p_number integer) returns integer
language sql immutable parallel safe
as $$ select p_number * 2 $$;

comment on function logic.twice(integer) is 'Twice a number.';
"""
VIEW = """-- Twice the number of each record.
create or replace view reporting.doubled as
select workspace_id, id, logic.twice(number::integer) as doubled from core.record;

comment on view reporting.doubled is 'Twice the number of each record.';
"""
OVER = VIEW.replace("reporting.doubled", "reporting.over").replace(
    "logic.twice(number::integer) as doubled from core.record", "doubled from reporting.doubled"
)

Edit = dict[str, str | None]


@pytest.fixture
def bundle(tmp_path: Path) -> Callable[[Edit], Bundle]:
    """Makes the bundle that follows: sql/ with some files written, or taken away (None)."""
    directory = tmp_path / "sql"
    shutil.copytree(resource_directory("sql"), directory)

    def edited(files: Edit) -> Bundle:
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        return write_bundle_number(directory)

    return edited


def load(database: Database, bundle: Bundle, *, dev: bool = False) -> bool:
    """Loads a bundle as the owner, as `migrate` does."""
    with psycopg.connect(owner_conninfo(database.admin), autocommit=True) as connection:
        return load_bundle(connection, bundle, dev=dev)


def loaded(database: Database) -> tuple[int, str]:
    """Number and hash of the bundle that is loaded."""
    (row,) = database.run("select number, hash from core.bundle")
    return row[0], row[1]


def functions(database: Database) -> dict[str, str]:
    """Every reloadable function with the hash of its definition, triggers and views among them."""
    rows = database.run(
        """
        select p.oid::regprocedure::text, md5(pg_get_functiondef(p.oid)) from pg_proc p
        where p.pronamespace = any ('{logic,api,faces,reporting}'::regnamespace[])
        union all
        select tgname, md5(pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
        union all
        select c.relname, md5(pg_get_viewdef(c.oid)) || coalesce(c.relacl::text, '') from pg_class c
        where c.relnamespace = 'reporting'::regnamespace
        """
    )
    return dict(rows)


def test_a_new_file_is_a_new_function(database: Database, bundle: Callable[[Edit], Bundle]) -> None:
    assert load(database, bundle({"logic/twice.sql": TWICE})) is True
    assert database.value("select logic.twice(21)") == 42
    assert database.value(
        "select has_function_privilege('rowcast_server', 'logic.twice(integer)', 'execute')"
    )
    assert (
        database.value(
            "select count(*) from pg_proc p cross join aclexplode(p.proacl) g"
            " where p.proname = 'twice' and g.grantee = 0"
        )
        == 0
    )


def test_loading_the_same_bundle_again_does_nothing(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    new = bundle({"logic/twice.sql": TWICE})
    assert load(database, new) is True
    before = database.value("select xmin::text from core.bundle")
    assert load(database, new) is False
    assert load(database, new, dev=True) is False
    assert database.value("select xmin::text from core.bundle") == before


def test_a_function_whose_file_is_gone_is_dropped(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    before = functions(database)
    load(database, bundle({"logic/twice.sql": TWICE, "reporting/doubled.sql": VIEW}))
    load(database, bundle({"logic/twice.sql": None, "reporting/doubled.sql": None}))
    assert functions(database) == before


def test_an_api_function_whose_file_is_gone_can_not_be_called_any_more(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    load(database, bundle({"api/workspace_get.sql": None}))
    with pytest.raises(psycopg.Error) as caught:
        database.read("workspace_get", database.workspace())
    assert caught.value.diag.message_hint == "unknown_function"


def test_a_trigger_whose_file_is_gone_is_dropped(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    load(database, bundle({"triggers/record__050_soft_delete.sql": None}))
    workspace = database.workspace()
    record = database.task(workspace)["id"]
    database.run("delete from core.record where id = %s", record)
    assert database.value("select count(*) from core.record where id = %s", record) == 0


def test_a_trigger_that_stays_is_replaced_in_place(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    """A dropped one waits for readers, and stalls writers behind it."""
    ids = "select array_agg(oid order by oid) from pg_trigger where not tgisinternal"
    before = database.value(ids)
    load(database, bundle({"logic/twice.sql": TWICE}))
    assert database.value(ids) == before


@pytest.mark.parametrize(
    ("new", "call"),
    [
        (TWICE.replace("p_number", "p_value"), "logic.twice(p_value => 21)"),
        (
            TWICE.replace("p_number integer)", "p_number integer, p_more integer default 0)")
            .replace("p_number * 2", "p_number * 2 + p_more")
            .replace("twice(integer) is", "twice(integer, integer) is"),
            "logic.twice(21)",
        ),
        (TWICE.replace("integer", "bigint"), "logic.twice(21)"),
    ],
    ids=["renamed parameter", "new parameter with a default", "other types"],
)
def test_a_function_whose_parameters_change_is_loaded_with_the_views_on_it(
    database: Database, bundle: Callable[[Edit], Bundle], new: str, call: str
) -> None:
    views: Edit = {"reporting/doubled.sql": VIEW, "reporting/over.sql": OVER}
    load(database, bundle({"logic/twice.sql": TWICE, **views}))
    database.run(
        "grant select on reporting.doubled to rowcast_analyst;"
        "grant select, insert on reporting.over to rowcast_analyst with grant option"
    )
    grants = (
        "select array_agg(relname || relacl::text order by relname) from pg_class"
        " where relname = any (%s)"
    )
    before = database.value(grants, ["doubled", "over"])
    assert load(database, bundle({"logic/twice.sql": new})) is True
    assert database.run(f"select {call}") == [(42,)]
    assert database.value("select count(*) from pg_proc where proname = 'twice'") == 1
    database.task(database.workspace())
    assert database.value("select doubled from reporting.over") == 2
    assert database.value(grants, ["doubled", "over"]) == before


def test_a_view_whose_columns_change_is_loaded_with_its_grants(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    load(database, bundle({"logic/twice.sql": TWICE, "reporting/doubled.sql": VIEW}))
    database.run("grant select on reporting.doubled to rowcast_analyst")
    load(database, bundle({"reporting/over.sql": OVER.replace("workspace_id, id, ", "")}))
    load(database, bundle({"reporting/doubled.sql": VIEW.replace("workspace_id, id, ", "")}))
    assert database.value(
        "select has_table_privilege('rowcast_analyst', 'reporting.doubled', 'select')"
    )


@pytest.mark.parametrize("edit", [TWICE.replace("p_number", "p_value"), None])
def test_a_load_never_cascades(
    database: Database, bundle: Callable[[Edit], Bundle], edit: str | None
) -> None:
    """A default that somebody built on a function makes the load fail whole."""
    load(database, bundle({"logic/twice.sql": TWICE}))
    database.run("alter table core.workspace add column lucky integer default logic.twice(21)")
    before = functions(database), loaded(database)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        load(database, bundle({"logic/twice.sql": edit, "api/workspace_get.sql": None}))
    assert (functions(database), loaded(database)) == before
    workspace = database.workspace()
    lucky = "select lucky from core.workspace where workspace_id = %s"
    assert database.value(lucky, workspace) == 42


def test_a_view_that_is_in_no_file_is_never_dropped(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    load(database, bundle({"logic/twice.sql": TWICE, "reporting/doubled.sql": VIEW}))
    database.run("create view public.mine as select * from reporting.doubled")
    before = functions(database), loaded(database)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        load(database, bundle({"logic/twice.sql": TWICE.replace("p_number", "p_value")}))
    assert (functions(database), loaded(database)) == before


def test_a_file_with_a_fault_changes_nothing_and_is_named(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    before = functions(database), loaded(database)
    with pytest.raises(psycopg.errors.SyntaxError) as caught:
        load(database, bundle({"logic/twice.sql": TWICE, "logic/zzz.sql": "create or replac"}))
    assert caught.value.__notes__ == ["while loading sql/logic/zzz.sql"]
    assert (functions(database), loaded(database)) == before


def test_an_older_bundle_does_not_replace_a_newer(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    """Two versions of the server on one database, while it is being upgraded."""
    newer = bundle({"logic/twice.sql": TWICE})
    load(database, newer)
    before = functions(database)
    assert load(database, read_bundle()) is False
    assert (functions(database), loaded(database)) == (before, (newer.number, newer.hash))


def test_another_bundle_of_the_same_number_is_refused_but_for_developers(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    load(database, bundle({"logic/twice.sql": TWICE}))
    other = bundle({"logic/twice.sql": TWICE.replace("* 2", "* 3")})
    other = Bundle(loaded(database)[0], other.hash, other.files)
    with pytest.raises(SchemaError, match="same number"):
        load(database, other)
    assert database.value("select logic.twice(1)") == 2
    assert load(database, other, dev=True) is True
    assert database.value("select logic.twice(1)") == 3


def test_of_two_loads_at_once_one_does_it(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    new = bundle({"logic/twice.sql": TWICE})
    together = threading.Barrier(2)
    results: list[bool] = []

    def run() -> None:
        together.wait(20)
        results.append(load(database, new))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == [False, True]
    assert database.value("select logic.twice(21)") == 42


def test_a_load_waits_for_no_reader_and_lets_readers_through(
    database: Database, bundle: Callable[[Edit], Bundle]
) -> None:
    """A transaction that has read tables and called functions, and stays open."""
    workspace = database.workspace()
    database.task(workspace, title="One")
    with database.connect_server() as reader, reader.transaction():
        reader.execute("select logic.enter(%s, %s)", [workspace, database.account("Ada")])
        assert reader.execute("select count(*) from core.record").fetchone() == (1,)
        assert load(database, bundle({"logic/twice.sql": TWICE})) is True


def test_the_number_is_raised_once_for_each_change(bundle: Callable[[Edit], Bundle]) -> None:
    first = bundle({"logic/twice.sql": TWICE})
    assert bundle({}).number == first.number
    assert bundle({"logic/twice.sql": TWICE + "\n"}).number == first.number + 1
