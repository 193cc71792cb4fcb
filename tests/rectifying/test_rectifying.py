"""From raw fields of view to the region on disk: the same bytes whole, cut off, shared out and replayed."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import SimpleITK
import tifffile
import zarr

from custom.base.errors import BadInput
from custom.rectifying import Rectifying
from custom.rectifying.unfinished import STORE
from custom.region.opening import open_fields, open_stack_or_region
from custom.running import OutputFolder
from custom.running.taken import release_folders
from custom.stack.writers import open_writer
from custom.stack.writers.shared import SharedZarr
from custom.stack.writers.zarr import Layers

CORNERS = {
    "yx": [[12, 10], [15, 315], [143, 310], [140, 7]],
    "zx": [[1, 10], [4, 315], [81, 315], [78, 10]],
    "zy": [[2, 12], [3, 141], [80, 143], [79, 14]],
}
FIELDS = [
    {"stack": "low.tif", "shape": [48, 160, 330]},
    {
        "stack": "high.tif",
        "shape": [48, 160, 330],
        "shift": [38.5, 2, -1.5],
        "rotation_deg": 0.2,
        "grey": {"scale": 1.1, "offset": -300},
    },
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two fields of view, and where their region lies."""
    folder = tmp_path_factory.mktemp("raw")
    for seed, name in enumerate(("low", "high")):
        tifffile.imwrite(folder / f"{name}.tif", cli.volume((48, 160, 330), seed), photometric="minisblack")
    (folder / "my.json").write_text(json.dumps({"corners": CORNERS, "fields": FIELDS, "fill": 20000}))
    return folder


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    yield
    release_folders()


def stacks(raw: Path) -> list[Path]:
    return [raw / "high.tif", raw / "low.tif"]


def rectify(raw: Path, out: Path, **options: Any) -> cli.Outcome:
    given: dict[str, Any] = {
        "stack": [str(path) for path in stacks(raw)],
        "region": raw / "my.json",
        "voxel_size_um": 1.5,
    }
    return cli.run("region", **{**given, "output_dir": out, **options})


def digest(out: Path) -> str:
    """Of all names and bytes of the region and its record."""
    found = hashlib.sha256()
    for file in sorted([*(out / "region.zarr").rglob("*"), out / "region.json"]):
        if file.is_file():
            found.update(file.relative_to(out).as_posix().encode() + b"\0" + file.read_bytes())
    assert {path.name for path in out.iterdir()} == {"region.zarr", "region.json"}
    return found.hexdigest()


def run(raw: Path, out: Path, **place: Any) -> None:
    """The same in this process, without the command around it."""
    opened = open_fields(stacks(raw), voxel_size_um=1.5)
    Rectifying(opened, raw / "my.json", OutputFolder(out, **place)).run()


@pytest.fixture(scope="module")
def whole(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    ended = rectify(raw, out)
    assert ended.code == 0, ended.error
    return out


def test_the_region_is_an_ordinary_stack_of_what_is_sampled(whole: Path, raw: Path, tmp_path: Path) -> None:
    """The bytes are those of the writer that takes slab after slab, overviews and place too."""
    stack = open_stack_or_region([str(path) for path in stacks(raw)], raw / "my.json", voxel_size_um=1.5)
    with open_writer(
        tmp_path / "region", "zarr", stack.shape, stack.dtype, stack.voxel_size_um, place=stack.place
    ) as writer:
        for start in range(0, stack.shape[0], 7):
            writer.write(start, stack.read(start, min(start + 7, stack.shape[0])))
    (tmp_path / "region.json").write_bytes((whole / "region.json").read_bytes())
    assert digest(tmp_path) == digest(whole)
    assert zarr.open_group(whole / "region.zarr")["0"].shape == stack.shape == (78, 130, 306)


def test_slices_of_zeros_have_their_chunks(raw: Path, tmp_path: Path) -> None:
    """Without them the result would be taken for one that lost some."""
    tifffile.imwrite(tmp_path / "low.tif", np.zeros((48, 160, 330), np.uint8), photometric="minisblack")
    (tmp_path / "my.json").write_text(json.dumps({"corners": {"yx": CORNERS["yx"]}}))
    Rectifying(
        open_fields([tmp_path / "low.tif"]), tmp_path / "my.json", OutputFolder(tmp_path / "out"), "nearest"
    ).run()
    array = zarr.open_array(tmp_path / "out/region.zarr/0", mode="r")
    assert array.nchunks_initialized == array.nchunks and not np.asarray(array).any()


def test_its_record_replays_it(whole: Path, raw: Path, tmp_path: Path) -> None:
    ended = rectify(raw, tmp_path, region=whole / "region.json")
    assert ended.code == 0, ended.error
    assert digest(tmp_path) == digest(whole)
    again = rectify(raw, tmp_path, region=tmp_path / "region.json")
    assert again.code == 2 and "region.zarr: is there already; give --overwrite true" in again.error
    assert rectify(raw, tmp_path, region=tmp_path / "region.json", overwrite=True).code == 0
    assert digest(tmp_path) == digest(whole)


class Killed(Exception):
    """Stands for a signal that nothing survives."""


def test_what_is_cut_off_goes_on_with_the_same_bytes(
    whole: Path, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off before a layer, within it (its chunks there, its mark not), and between the last layer and the names."""
    own = SharedZarr.write
    written: list[int] = []

    def cut(self: SharedZarr, start: int, slab: np.ndarray) -> None:
        if len(written) == 1:
            written.append(-1)
            raise Killed
        if len(written) == 4:
            own(self, start, slab)
            self._mark(start).unlink()
            (self.path / "0" / "c" / "0" / "0" / ".abc.partial").touch()
            written.append(-1)
            raise Killed
        written.append(start)
        own(self, start, slab)

    monkeypatch.setattr(SharedZarr, "write", cut)
    publish = SharedZarr.publish
    monkeypatch.setattr(SharedZarr, "publish", lambda self, final: (publish(self, final), 1 / 0))
    for error in (Killed, Killed, ZeroDivisionError):
        with pytest.raises(error):
            run(raw, tmp_path)
        release_folders()
        assert (tmp_path / STORE).exists()
    monkeypatch.setattr(SharedZarr, "publish", publish)
    run(raw, tmp_path)
    assert digest(tmp_path) == digest(whole)
    assert sorted(set(written) - {-1}) == [0, 16, 32, 48, 64] and len(written) < 8


def test_an_unfinished_region_of_other_settings_is_not_mixed_in(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = SharedZarr.write
    monkeypatch.setattr(SharedZarr, "write", lambda self, start, slab: own(self, start, slab) if start < 16 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(raw, tmp_path)
    release_folders()
    monkeypatch.setattr(SharedZarr, "write", own)
    ended = rectify(raw, tmp_path, invert=True)
    assert ended.code == 2 and "begun with a different invert; give the command" in ended.error


def test_two_processes_share_the_slices(
    whole: Path, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one does its part while the first one waits for it."""

    class Meeting:
        def __init__(self, world_size: int) -> None: ...

        def arrive(self, point: str) -> None: ...

        def wait(self, point: str) -> None:
            if point == "sampled":
                monkeypatch.setattr(Meeting, "wait", lambda self, point: None)
                run(raw, tmp_path, rank=1, world_size=2)

    monkeypatch.setattr("custom.rectifying.run.Gathering", Meeting)
    run(raw, tmp_path, rank=0, world_size=2)
    assert digest(tmp_path) == digest(whole)


def test_another_format_and_a_turned_grey_scale(whole: Path, raw: Path, tmp_path: Path) -> None:
    ended = rectify(raw, tmp_path, invert=True, output_format="nrrd")
    assert ended.code == 0, ended.error
    lower, upper = json.loads((tmp_path / "region.json").read_text())["invert"]
    found = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(tmp_path / "region.nrrd")).astype(int)
    assert np.array_equal(
        found, np.clip(lower + upper - zarr.open_group(whole / "region.zarr")["0"][:].astype(int), 0, 65535)
    )


def test_a_region_that_is_not_on_disk_gives_the_same_mask(raw: Path, tmp_path: Path) -> None:
    zx = [[20, 20], [20, 160], [23, 160], [23, 20]]
    (tmp_path / "my.json").write_text(json.dumps({"corners": {"yx": CORNERS["yx"], "zx": zx}, "shape": [4, 130, 140]}))
    given = {"region": tmp_path / "my.json", "voxel_size_um": 1.5}
    copied = rectify(raw, tmp_path / "copy", stack=raw / "low.tif", **given)
    assert copied.code == 0, copied.error
    weights = cli.tiny_weights(tmp_path / "model.pt", cli.volume((3, 160, 330)))
    masks = []
    for stack, options in ((tmp_path / "copy/region.zarr", {}), (raw / "low.tif", given)):
        out = tmp_path / f"mask_{len(masks)}"
        ended = cli.segment(stack, out, weights, overlap=0, **options)
        assert ended.code == 0, ended.error
        masks.append(zarr.open_group(out / "mask.zarr")["0"][:])
    assert np.array_equal(*masks) and 0.02 < masks[0].mean() < 0.98


def test_a_mask_goes_back_onto_the_raw_grid(whole: Path, raw: Path, tmp_path: Path) -> None:
    mask = (zarr.open_group(whole / "region.zarr")["0"][:] > 20000).astype(np.uint8)
    tifffile.imwrite(tmp_path / "mask.tif", mask, photometric="minisblack")
    ended = rectify(raw, tmp_path, region=whole / "region.json", back=tmp_path / "mask.tif", output_format="nii.gz")
    assert ended.code == 0, ended.error
    found = SimpleITK.ReadImage(tmp_path / "raw_mask.nii.gz")
    assert found.GetSize() == (330, 160, 86) and found.GetSpacing() == pytest.approx((0.0015,) * 3)
    grey, voxels = tifffile.imread(raw / "low.tif"), SimpleITK.GetArrayFromImage(found)
    assert np.mean((grey > 20000)[20:30, 40:120, 40:280] == voxels[20:30, 40:120, 40:280]) > 0.8
    likely = zarr.open_group(whole / "region.zarr")["0"][:].clip(10000, 30000) // 100 - 72  # 128 where the mask is 1
    tifffile.imwrite(tmp_path / "likely.tif", likely.astype(np.uint8), photometric="minisblack")
    (tmp_path / "summary.json").write_text(json.dumps({"probability": "likely.tif"}))
    ended = rectify(
        raw, tmp_path / "p", region=whole / "region.json", back=tmp_path / "likely.tif", output_format="tiff"
    )
    assert ended.code == 0, ended.error
    between = tifffile.imread(tmp_path / "p/raw_mask.tif")
    assert set(np.unique(between)) == {0, 1} and 0.9 < np.mean(between == voxels) < 1
    tifffile.imwrite(tmp_path / "other.tif", mask[1:], photometric="minisblack")
    for options, said in (
        ({"back": tmp_path / "other.tif", "overwrite": True}, "other.tif: has 77 x 130 x 306 voxels"),
        ({"back": tmp_path / "mask.tif"}, "raw_mask.nii.gz: is there already"),
        ({"back": tmp_path / "mask.tif", "region": None}, "needs the region that the mask is of"),
    ):
        refused = rectify(raw, tmp_path, **{"region": whole / "region.json", **options})
        assert refused.code == 2 and said in refused.error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"region": "none.json"}, "none.json: cannot be read"),
        ({"output_format": "png"}, "--output_format png: is unknown"),
        ({"order": "quadratic"}, "--order quadratic: is unknown; give one of linear, cubic, nearest"),
        ({"stack": "low.tif"}, "low.tif: does not exist"),
        ({"region": "one.json"}, "one.json: says nothing of how 2 stacks are joined"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    options: dict[str, Any], said: str, raw: Path, tmp_path: Path
) -> None:
    if "region" in options:
        (tmp_path / "one.json").write_text(json.dumps({"corners": CORNERS}))
        options = {"region": tmp_path / options["region"]}
    ended = rectify(raw, tmp_path / "out", **options)
    assert ended.code == 2 and said in ended.error
    assert not (tmp_path / "out").exists()


def test_a_full_disk_ends_in_a_sentence_and_keeps_what_is_done(
    whole: Path, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Layers.append

    def full(self: Layers, slab: np.ndarray) -> None:
        if self._start == 32:
            raise OSError(errno.ENOSPC, "No space left on device")
        own(self, slab)

    monkeypatch.setattr(Layers, "append", full)
    ended = rectify(raw, tmp_path)
    assert ended.code == 2 and "is full: region.zarr takes up to" in ended.error
    assert len(list((tmp_path / STORE / "done").iterdir())) == 2
    monkeypatch.setattr(Layers, "append", own)
    assert rectify(raw, tmp_path).code == 0 and digest(tmp_path) == digest(whole)


def test_a_stack_that_changes_meanwhile_is_refused(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rectifying, "_sample", lambda self, stack, shared: self.files.append("changed"))
    with pytest.raises(BadInput, match="changed while it was read"):
        run(raw, tmp_path)
