"""What runs the project, what checks it and what travels in a packed bundle are lists of their own, at the versions that are tested."""

from __future__ import annotations

import tomllib
from importlib.metadata import requires

import cli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((cli.ROOT / "pyproject.toml").read_text())["project"]
_HERE = {"extra": "", "python_version": "3.11", "python_full_version": "3.11.7"}  # newer ones need fewer
EXTRAS = PROJECT["optional-dependencies"]


def pins(path: str) -> dict[str, str]:
    lines = [line for line in (cli.ROOT / path).read_text().splitlines() if line and line[0] not in "#-"]
    return {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in lines}


def needed(lines: list[str]) -> set[str]:
    """The packages that some requirements bring in, as the installed ones say, on the Python that the lists were made on."""
    waiting, found = [Requirement(line) for line in lines], set[str]()
    while waiting:
        name = waiting.pop().name
        if (key := canonicalize_name(name)) in found:
            continue
        found.add(key)
        further = [Requirement(line) for line in requires(name) or []]
        waiting += [each for each in further if each.marker is None or each.marker.evaluate(_HERE)]
    return found


def test_what_runs_and_what_checks_are_two_lists() -> None:
    """Nobody who segments a stack installs a linter or a client of clouds."""
    run, check = pins("requirements.txt"), pins("requirements-dev.txt")
    wanted = needed([*PROJECT["dependencies"], *EXTRAS["study"], *EXTRAS["formats"]])
    # an accelerator build of torch brings packages that the CPU build, and so the list, does not have
    assert run.keys() == wanted & {*run, *check}
    assert not run.keys() & check.keys()
    assert {"pytest", "ruff", "mypy", "botocore", "s3fs"} <= check.keys()
    assert "-r requirements.txt" in (cli.ROOT / "requirements-dev.txt").read_text().splitlines()
    assert {"torch", "monai", "jsonschema", "zarr"} <= run.keys()


def test_a_packed_bundle_has_what_runs_without_extras() -> None:
    run, wanted = pins("requirements.txt"), needed(PROJECT["dependencies"])
    assert pins("bundle/requirements.txt") == {name: version for name, version in run.items() if name in wanted}
