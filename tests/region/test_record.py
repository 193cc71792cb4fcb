"""`region.json`: written and read again, made by hand, and refused."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from custom.base.errors import BadInput
from custom.region import Bend, Corners, Field, Region, Volume, read_region, write_region
from custom.region.identity import identity_of
from custom.region.matching import matched
from custom.region.opening import open_stack_or_region
from custom.stack import open_stack
from custom.stack.warn import warn_once

QUAD = [[20, 30], [20, 229], [179, 229], [179, 30]]


@pytest.fixture(autouse=True)
def forget() -> None:
    warn_once.cache_clear()


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "raw.npy"
    np.save(path, np.random.default_rng(0).integers(0, 999, (9, 200, 260)).astype(np.uint16))
    return path


def file(folder: Path, **content: Any) -> Path:
    path = folder / "region.json"
    path.write_text(json.dumps({"corners": {"yx": QUAD}, **content}))
    return path


def refusal(path: Path, raw: Path | None = None, count: int = 1) -> str:
    """The one sentence, which begins with the file."""
    with pytest.raises(BadInput) as refused:
        region = read_region(path)
        if raw is not None:
            matched(region, [open_stack(raw)] * count)
    sentence = str(refused.value)
    assert sentence.endswith(".") and "\n" not in sentence and str(path) in sentence
    return sentence


def test_a_record_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    quad = ((1.25, 2.0), (1.5, 200.1), (150.0, 199.0), (151.0, 3.0))
    fields = (
        Field("low.tif", (40, 200, 210), "abc"),
        Field("high.tif", (40, 200, 210), None, (31.5, -2, 0.25), 0.125, 1.5, -20, 0.98),
    )
    region = Region(
        Corners(quad, zy=quad), (60, 150, 199), Volume((71, 200, 210), "uint16", (1.3, 1.3, 1.3)), fields,
        Bend(((1.0, 0.5), (2.0,)), ((0.0,),)), 12, (0, 65535), {"tilt_deg": [1.5, 2]},
    )  # fmt: skip
    write_region(tmp_path / "region.json", region)
    assert read_region(tmp_path / "region.json") == region
    assert len((tmp_path / "region.json").read_text().splitlines()) < 90  # tables in a line each


def test_by_hand_four_corners_seen_along_z_are_enough(tmp_path: Path, raw: Path) -> None:
    stack = open_stack(raw, 2.5)
    region, _ = matched(read_region(file(tmp_path)), [stack])
    assert region.shape == (9, 160, 200) and region.volume == Volume((9, 200, 260), "uint16", (2.5, 2.5, 2.5))
    assert region.fields[0].identity == identity_of(stack)
    np.testing.assert_allclose(
        region.map().forward(np.array([[0, 0, 0], [8, 159, 199]])), [[0, 20, 30], [8, 179, 229]], atol=1e-9
    )


@pytest.mark.parametrize("order", [[1, 2, 3, 0], [3, 2, 1, 0], [0, 2, 1, 3], [2, 3, 0, 1], [0, 3, 2, 1]])
def test_corners_in_another_order_are_put_right_with_one_word(
    order: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    askew = [[20, 40], [40, 230], [190, 215], [170, 25]]
    path = file(tmp_path, corners={"yx": [askew[number] for number in order]})
    with caplog.at_level(logging.WARNING):
        region = read_region(path)
    assert region.corners.yx == tuple(map(tuple, askew))
    (warned,) = caplog.messages
    assert warned.startswith(str(path)) and "yx" in warned


def test_a_right_order_is_taken_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_region(file(tmp_path, corners={"yx": [[20, 20], [120, 150], [190, 90], [110, 10]]}))
    assert not caplog.messages


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"corners": {"yx": QUAD[:3]}}, "3 points where four"),
        ({"corners": {"yx": [*QUAD[:3], [90, 130]]}}, "cross"),
        ({"corners": {"yx": [QUAD[0], QUAD[0], *QUAD[2:]]}}, "cross"),
        ({"corners": {"yx": [[0, 100], [100, 0], [100, 200], [200, 100]]}}, "askew"),
        ({"corners": {"zx": QUAD}}, "no yx"),
        ({"corners": {"xy": QUAD, "yx": QUAD}}, "'xy'"),
        ({"corners": [QUAD]}, "corners is no JSON object"),
        ({"corners": {"yx": [*QUAD[:3], [90, "a"]]}}, '"a"'),
        ({"corners": {"yx": [*QUAD[:3], [90, float("nan")]]}}, "NaN"),
        ({"corners": {"yx": [*QUAD[:3], [90, 10**400]]}}, "000 where a number is needed"),
        ({"corners": None}, "corners is missing"),
        ({"shape": [9, 160.5, 200]}, "whole numbers"),
        ({"bend": {"first": [[0] * 6], "last": []}}, "order 4"),
        ({"bend": {"first": [[0]]}}, "bend last is missing"),
        ({"bends": None}, "'bends'"),
        ({"invert": [3]}, "1 numbers where 2"),
        ({"fields": [{"stack": "a"}]}, "field 0 has no shape"),
        ({"fields": [{"stack": "a", "shape": [1, 2, 3], "grey": {"scale": 0}}]}, "greater than 0"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_is_refused(content: dict[str, Any], said: str, tmp_path: Path) -> None:
    assert said in refusal(file(tmp_path, **content))


@pytest.mark.parametrize("text", ["", "{", '{"corners": ', "[1]", "\x00"])
def test_what_is_no_json_object_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "region.json"
    path.write_text(text)
    assert "JSON" in refusal(path)
    assert "cannot be read" in refusal(tmp_path / "none.json")


SELF = {"stack": "raw.npy", "shape": [9, 200, 260]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"corners": {"yx": [[20, 30], [20, 299], [179, 299], [179, 30]]}},
            "outside the volume, whose x goes from 0 to 259",
        ),
        ({"corners": {"yx": QUAD, "zx": [[-4, 30], [-4, 229], [8, 229], [8, 30]]}}, "outside the volume, whose z"),
        ({"corners": {"yx": [[20, 30], [20, 229], [130, 229], [130, 30]]}}, "9 x 111 x 200"),
        ({"shape": [9, 160, 127]}, "at least 128"),
        ({"shape": [9, 160, 450]}, "stretches voxels by a factor of 2.26"),
        ({"corners": {"yx": [[60, 30], [10, 229], [190, 229], [70, 30]]}, "shape": [9, 130, 200]}, "squeezes voxels"),
        ({"bend": {"first": [[0], [0], [99]], "last": []}}, "squeezes voxels by a factor of 49"),
        ({"volume": {"shape": [9, 200, 261]}}, "9 x 200 x 261"),
        ({"fields": [{**SELF, "shape": [9, 200, 261]}]}, "9 x 200 x 261"),
        ({"fields": [{**SELF, "identity": "0"}]}, "another volume"),
        ({"fields": [SELF, SELF]}, "2 stacks (raw.npy, raw.npy), and 1 is given"),
    ],
)
def test_what_does_not_fit_the_volume_is_refused(content: dict[str, Any], said: str, tmp_path: Path, raw: Path) -> None:
    assert said in refusal(file(tmp_path, **content), raw)


def test_a_single_slice_has_a_region_too(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.random.default_rng(0).integers(0, 99, (1, 200, 260)).astype(np.uint8))
    stack = open_stack_or_region(tmp_path / "one.npy", file(tmp_path), voxel_size_um=2)
    assert stack.shape == (1, 160, 200) and stack.voxel_size_um == pytest.approx((2, 2, 2))
    assert np.array_equal(stack.read(0, 1)[0], open_stack(tmp_path / "one.npy").read(0, 1)[0, 20:180, 30:230])


def test_several_stacks_need_fields(tmp_path: Path, raw: Path) -> None:
    assert "how 2 stacks are joined" in refusal(file(tmp_path), raw, 2)


def test_stacks_are_put_in_the_order_of_their_fields(tmp_path: Path) -> None:
    stacks = []
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", np.full((9, 200, 260), number, np.uint8))
        stacks.append(open_stack(tmp_path / f"{number}.npy"))
    fields = [
        {"stack": "x", "shape": [9, 200, 260], "shift": [8 * number, 0, 0], "identity": identity_of(stack)}
        for number, stack in enumerate(stacks)
    ]
    region, ordered = matched(read_region(file(tmp_path, fields=fields)), [stacks[i] for i in (2, 0, 1)])
    assert [stack.path.name for stack in ordered] == ["0.npy", "1.npy", "2.npy"] == [one.stack for one in region.fields]
    assert region.volume is not None and region.volume.shape == (25, 200, 260)


@pytest.mark.parametrize(
    ("other", "size", "said"), [((9, 200, 261), 1, "200 x 261"), ((8, 200, 260), 2, "um of 2 x 2 x 2")]
)
def test_stacks_of_different_scans_are_refused(
    other: tuple[int, int, int], size: float, said: str, tmp_path: Path, raw: Path
) -> None:
    np.save(tmp_path / "other.npy", np.zeros(other, np.uint16))
    with pytest.raises(BadInput, match=said):
        matched(read_region(file(tmp_path)), [open_stack(raw, 1), open_stack(tmp_path / "other.npy", size)])
