"""What the documents name is there: files, sections, options; README is short, and leads to a mask on one screen."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import cli
import pytest
import yaml

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "bundle/docs/**/*.md", "findings/*.md")
    for path in cli.ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # tells of what was
)
SCREEN = 45  # lines
# named in the documents, but options of other programs
OTHERS = {"logdir", "max-restarts", "local-dir", "check", "all", "dist", "help"}


def plain(document: Path) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """What a link may name after #, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.*)$", plain(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(cli.ROOT)))
def test_what_a_link_leads_to_is_there(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", plain(document)):
        if "://" in link:
            continue
        path, _, section = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not section or section in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(cli.ROOT)))
def test_a_path_that_is_named_is_there(document: Path) -> None:
    for path in re.findall(r"`((?:custom|tests|scripts|bundle|findings)/[\w./-]*\w)`", document.read_text()):
        assert "NAME" in path or (cli.ROOT / path).exists(), path


def test_the_tree_of_the_architecture_names_the_rooms() -> None:
    tree = re.search(
        r"^custom/ .*?^scripts/", (cli.ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL | re.MULTILINE
    )
    assert tree
    rooms = {path.parent.name for path in (cli.ROOT / "custom").glob("*/__init__.py")}
    assert sorted(re.findall(r"^  (\w+)/ ", tree[0], flags=re.MULTILINE)) == sorted(rooms)


def options() -> set[str]:
    """The keys of the configs, and the options of the scripts."""
    known = {key for path in (cli.ROOT / "bundle/configs").glob("*.json") for key in json.loads(path.read_text())}
    code = [*(cli.ROOT / "scripts").rglob("*.py"), cli.ROOT / "custom/study/dataset_keys.py"]
    known |= {name for path in code for name in re.findall(r'"--([\w-]+)"', path.read_text())}
    return known | {"image_key", "label_key", "image_index", "label_index", "config_file", "meta_file", *OTHERS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(cli.ROOT)))
def test_an_option_that_is_named_is_there(document: Path) -> None:
    for option in re.findall(r"(?<=[`\s])--([a-z][\w-]*)", plain(document)):
        assert option in options(), option


def test_readme_is_short_and_leads_to_a_mask_on_one_screen() -> None:
    text = (cli.ROOT / "README.md").read_text()
    assert len(text.split()) <= 1500
    start = text.index("\n## ")
    path = text[start : text.index("mask.zarr", start)]
    assert path.count("\n") <= SCREEN and text[:start].count("\n") < SCREEN
    for step in ("pip install -r requirements.txt", "--dataset_dir my_slices", "evaluate.json", "--stack my_stack"):
        assert step in path


def test_the_citation_names_the_project_as_the_other_files_do() -> None:
    citation = yaml.safe_load((cli.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    metadata = json.loads((cli.ROOT / "bundle/configs/metadata.json").read_text())
    project = tomllib.loads((cli.ROOT / "pyproject.toml").read_text())["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (cli.ROOT / "README.md").read_text().startswith(f"# {citation['title']}\n")
    assert citation["title"] == metadata["name"] and citation["authors"] == [{"name": metadata["authors"]}]
    assert citation["version"] == metadata["version"] == project["version"]
    assert citation["license"] == project["license"]
    (study,) = citation["references"]
    assert study["doi"] in (cli.ROOT / "README.md").read_text() and len(study["authors"]) == 3
