"""Small labelled data sets that several test files share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from custom.base.errors import BadInput
from custom.stack import open_stack

MakeSet = Callable[..., Path]

try:
    import torch
except ImportError:
    pass  # the tests of tests/stack run without it, on Pythons for which it is not installed
else:
    # Files of tests run side by side, one process each; next to nothing is computed, so that more threads only wait.
    torch.set_num_threads(1)


def blobs(
    depth: int, size: tuple[int, int], lithium: Sequence[int] | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Noisy grey slices (uint16, around 20,000) with bright blobs (around 40,000), and their label (uint8 {0, 1}).

    Args:
        depth, size: Z and (Y, X).
        lithium: the slices that hold blobs; None: all.
    """
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.standard_normal((depth, *size)), (0, 4, 4))
    label = smooth > np.quantile(smooth, 0.9)
    if lithium is not None:
        label[[z for z in range(depth) if z not in lithium]] = False
    grey = 20_000 + 20_000 * label + 2_000 * rng.standard_normal(label.shape)
    return grey.clip(0, 65_535).astype(np.uint16), label.astype(np.uint8)


def write_labelled_set(
    folder: Path,
    stacks: Sequence[int] = (6,),
    size: tuple[int, int] = (140, 150),
    flat: bool = False,
    lithium: Sequence[int] | None = None,
    seed: int = 0,
) -> Path:
    """Write images/ and labels/ under `folder` and return it.

    Args:
        stacks: the number of slices of each stack; written as ``stack_0.tif``, ... (3-D, one file a stack), or, where
            `flat`, all slices one after the other as 2-D files ``slice_0.tif``, ``slice_1.tif``, ...
        lithium: the slices, counted within each stack, that hold lithium; None: all.
    """
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    written = 0
    for i, depth in enumerate(stacks):
        pair = blobs(depth, size, lithium, seed + i)
        for part, volume in zip(("images", "labels"), pair, strict=True):
            if not flat:
                tifffile.imwrite(folder / part / f"stack_{i}.tif", volume, photometric="minisblack")
                continue
            for z, plane in enumerate(volume, written):
                tifffile.imwrite(folder / part / f"slice_{z}.tif", plane, photometric="minisblack")
        written += depth
    return folder


@pytest.fixture(scope="session")
def make_labelled_set(tmp_path_factory: pytest.TempPathFactory) -> MakeSet:
    """`write_labelled_set` into a new folder of its own; give it everything but the folder."""

    def make(**arguments: object) -> Path:
        return write_labelled_set(tmp_path_factory.mktemp("labelled"), **arguments)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def labelled_set(make_labelled_set: MakeSet) -> Path:
    """One 3-D stack of 6 slices of 140 x 150, lithium in each; shared by all tests, so never write into it."""
    return make_labelled_set()


@pytest.fixture(scope="session")
def labelled_set_2d(make_labelled_set: MakeSet) -> Path:
    """The same 6 slices as 2-D files; shared by all tests, so never write into it."""
    return make_labelled_set(flat=True)


def refusal(path: Path, **options: Any) -> str:
    """The sentence with which opening the stack at `path` and reading all of it is refused; it begins with the path."""
    with pytest.raises(BadInput) as refused:
        stack = open_stack(path, **options)
        stack.read(0, stack.shape[0])
    sentence = str(refused.value)
    assert "\n" not in sentence and sentence.startswith(str(path)) and sentence.endswith(".")
    return sentence


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed bundle of a small network, one epoch old; beside it the `run` and the network's file it was made from."""
    from packs import pack_small

    return pack_small(tmp_path_factory.mktemp("packed"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that two processes that share the files end at about the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, bool | None, bool | None]:
    """A command that ran in this process leaves its signal handlers to no other test, nor to the processes that it starts."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return (yield)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test printed goes from one process to another as UTF-8, be there a name in it that is not."""
    report = yield
    report.sections = [
        (name, content.encode("utf-8", "backslashreplace").decode()) for name, content in report.sections
    ]
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A process of tests that died says how: xdist tells no more than that it did."""
    if error:
        with suppress(Exception):
            code = node.gateway._io.popen.wait(10)
            print(f"\nthe process of {node.gateway.id} ended with {signal.Signals(-code).name if code < 0 else code}")
