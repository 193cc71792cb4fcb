"""The packed bundle's requirements are what its Python needs, at the versions that the tests run with."""

from __future__ import annotations

import tomllib
from importlib.metadata import requires

import cli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def pins(path: str) -> dict[str, str]:
    lines = [line for line in (cli.ROOT / path).read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in lines}


def test_they_are_the_runtime_part_of_the_projects() -> None:
    project = tomllib.loads((cli.ROOT / "pyproject.toml").read_text())["project"]
    waiting, needed = [Requirement(line) for line in project["dependencies"]], set()
    while waiting:
        name = waiting.pop().name
        if (key := canonicalize_name(name)) in needed:
            continue
        needed.add(key)
        further = [Requirement(line) for line in requires(name) or []]
        waiting += [each for each in further if each.marker is None or each.marker.evaluate({"extra": ""})]
    tested = pins("requirements.txt")
    # an accelerator build of torch brings packages that the CPU build, and so the list, does not have
    assert pins("bundle/requirements.txt") == {name: tested[name] for name in needed if name in tested}
    assert {"torch", "monai", "jsonschema", "zarr"} <= needed
