"""What the documents point at is there: files, links, and each step of the page on a PATCH."""

import re
from pathlib import Path

import pytest

from support import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_PATH = re.compile(r"`((?:server|sql|migrations|templates|tests|tools|bench|docs|\.ci)/[\w./*-]*)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
_NAME = re.compile(r"`([A-Za-z_]+(?:\.[A-Za-z_]+)*)`")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    missing = [path for path in _PATH.findall(document.read_text()) if not any(ROOT.glob(path))]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    links = _LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_name_in_a_step_of_a_patch_is_in_a_file_of_that_step() -> None:
    text = section((ROOT / "ARCHITECTURE.md").read_text(), "A PATCH, from socket to every stream")
    steps = re.split(r"\n\d+\. ", text)[1:]
    assert len(steps) > 5
    for step in steps:
        files = [ROOT / path for path in _PATH.findall(step)]
        sources = "\n".join(path.read_text() for path in files)
        for found in _NAME.findall(step):
            assert found.split(".")[-1] in sources, (
                f"{found} is in none of {list(map(name, files))}"
            )


def test_every_setting_of_a_transaction_is_explained() -> None:
    used = {
        setting
        for path in ROOT.glob("sql/**/*.sql")
        for setting in re.findall(r"'(rowcast\.[a-z_]+)'", path.read_text())
    }
    text = (ROOT / "ARCHITECTURE.md").read_text()
    explained = set(re.findall(r"`(rowcast\.[a-z_]+)`", section(text, "Schemas, roles, settings")))
    assert used == explained


def test_every_module_is_in_the_picture() -> None:
    text = section((ROOT / "ARCHITECTURE.md").read_text(), "The directories")
    modules = [path.name for path in (ROOT / "server" / "rowcast").glob("[a-z]*.py")]
    assert [module for module in modules if f"`{module}`" not in text] == []


def test_every_setting_of_the_environment_is_in_the_readme() -> None:
    from rowcast.config import Settings

    text = section((ROOT / "README.md").read_text(), "Settings")
    settings = [f"`ROWCAST_{field.upper()}`" for field in Settings.model_fields]
    assert [setting for setting in settings if setting not in text] == []
