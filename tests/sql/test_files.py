"""Where things stand in sql/, and that the database holds just that."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest

from rowcast.resources import resource_directory
from rowcast.schema import Bundle, read_bundle, sql_objects
from support import ROOT

Rows = Callable[..., list[Any]]

RELOADABLE = ["logic", "api", "faces", "reporting", "trusted"]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """What is in sql/."""
    return read_bundle()


def object_name(path: str) -> str:
    """The object of a file: directory = schema, subdirectory = prefix; triggers are logic."""
    directory, *parts = PurePosixPath(path).with_suffix("").parts
    return f"{'logic' if directory == 'triggers' else directory}.{'_'.join(parts)}"


def test_a_file_is_named_as_its_object(bundle: Bundle) -> None:
    for path, text in bundle.files:
        assert [found.name for found in sql_objects(text) if found.kind != "trigger"] == [
            object_name(path)
        ], path


def test_a_trigger_is_named_as_its_function_and_stands_on_its_table(bundle: Bundle) -> None:
    for path, text in bundle.files:
        triggers = [found.name for found in sql_objects(text) if found.kind == "trigger"]
        stem = PurePosixPath(path).stem
        assert bool(triggers) == path.startswith("triggers/"), path
        for name in triggers:
            table, trigger = name.split("/")
            assert table == f"core.{stem.split('__')[0]}", path
            assert trigger == stem or trigger.startswith(stem + "_"), path


def test_what_is_loaded_is_what_is_in_the_files(rows: Rows, bundle: Bundle) -> None:
    """But the dispatchers, which are made of the catalogue."""
    loaded = rows(
        "select pronamespace::regnamespace || '.' || proname from pg_proc"
        " where pronamespace = any (%s::regnamespace[])",
        RELOADABLE,
    )
    wanted = {found.name for found in bundle.objects if found.kind == "function"}
    assert set(loaded) == wanted | {"logic.call", "faces.event", "faces.shape"}
    triggers = rows(
        "select tgrelid::regclass || '/' || tgname from pg_trigger where not tgisinternal"
    )
    assert set(triggers) == {found.name for found in bundle.objects if found.kind == "trigger"}


def test_every_file_says_what_its_function_is_for(bundle: Bundle) -> None:
    for path, text in bundle.files:
        (name,) = [found.name for found in sql_objects(text) if found.kind != "trigger"]
        assert f"\ncomment on function {name}(" in text or f"\ncomment on view {name} " in text, (
            path
        )


def test_no_file_cascades(bundle: Bundle) -> None:
    assert not [path for path, text in bundle.files if "cascade" in text.lower()]


def test_the_bundle_carries_the_hash_of_its_files(bundle: Bundle) -> None:
    """`make bundle` renews it."""
    written = (resource_directory("sql") / "BUNDLE").read_text().split()
    assert written == [str(bundle.number), bundle.hash]
    assert resource_directory("sql") == ROOT / "sql"
