"""Projections in HDF5 are refused, reconstructions beside what is left of a scan are not; other orders of axes."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from conftest import refusal

from custom.stack import open_stack

VOXELS = np.random.default_rng(0).integers(1, 1 << 16, (7, 11, 13), np.uint16)


def saved(path: Path, key: str = "exchange/data", **beside: np.ndarray) -> Path:
    """A volume and what lies beside it; __ stands for / in the names."""
    with h5py.File(path, "w") as file:
        file[key] = VOXELS
        for name, values in beside.items():
            file[name.replace("__", "/")] = values
    return path


@pytest.mark.parametrize(
    ("key", "beside"),
    [
        ("exchange/data", {"exchange__theta": np.arange(7)}),
        ("exchange/data", {"exchange__data_white": VOXELS[:2], "exchange__data_dark": VOXELS[:1]}),
        ("exchange/data", {"exchange__data_dark": VOXELS[0]}),
        ("exchange/data", {"exchange__flats": VOXELS[:3]}),
        ("entry/data/data", {"entry__instrument__detector__image_key": np.zeros(7, int)}),
        ("entry/instrument/detector/data", {"entry__instrument__detector__image_key_control": np.zeros(7, int)}),
        ("entry/instrument/detector/data", {"entry__sample__rotation_angle": np.arange(7.0)}),
        ("1.1/measurement/pcoedge", {"1.1__measurement__hrsrot": np.arange(7.0)}),
        ("exchange/data", {"exchange__bak": VOXELS[:2], "exchange__drk": VOXELS[:2]}),
        ("exchange/data", {"exchange__flat_mean": VOXELS[0]}),
        ("exchange/data", {"exchange__proj_angles": np.arange(7.0)}),
        ("entry/scan/data/image/value", {"entry__scan__data__s_rot__value": np.arange(7.0)}),
        ("entry/instrument/zyla/data", {"entry__instrument__rot__angle": np.arange(7.0)}),
        ("entry1/tomo_entry/data/data", {"entry1__tomo_entry__data__rotation_angle": np.arange(7.0)}),
        ("exchange/data", {"process__acquisition__rotation__angles": np.arange(7.0)}),
        ("exchange/data", {"measurement__sample__theta": np.arange(7.0)}),
        ("entry/data/data", {"entry1__tomo_entry__sample__rotation_angle": np.arange(7.0)}),
    ],
)
def test_projections(key: str, beside: dict[str, np.ndarray], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = saved(tmp_path / "scan.h5", key, **beside)
    with h5py.File(path, "a") as file:
        file.attrs["default"] = key  # as NeXus leads to them
    words = refusal(path)
    assert f"holds projections, its /{key} of 7x11x13 lies beside /" in words
    assert f"reconstruct them first, or name the reconstruction with --stack_key, --stack_key /{key} if this" in words
    np.testing.assert_array_equal(open_stack(path, stack_key=key).read(0, 7), VOXELS)
    assert "as projections do, and is taken for a reconstruction because its key was given" in caplog.text


def test_linked_projections(tmp_path: Path) -> None:
    saved(tmp_path / "raw.h5", "entry/instrument/detector/data", entry__sample__rotation_angle=np.arange(7.0))
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file["exchange/data"] = h5py.ExternalLink("raw.h5", "/entry/instrument/detector/data")
        file["exchange/theta"] = h5py.ExternalLink("raw.h5", "/entry/sample/rotation_angle")
    assert "holds projections" in refusal(tmp_path / "scan.nxs")


def test_nexus_calls_an_axis_an_angle(tmp_path: Path) -> None:
    with h5py.File(saved(tmp_path / "scan.nxs", "entry/data/data"), "a") as file:
        file.attrs["default"], file["entry/data"].attrs["signal"] = "entry/data", "data"
        file["entry/data"].attrs["axes"] = ["rotation_angle", "y", "x"]
    assert "holds projections, its entry/data/data" in refusal(tmp_path / "scan.nxs").replace("its /", "its ")


@pytest.mark.parametrize("attribute", [True, False])
def test_sinograms_say_so(attribute: bool, tmp_path: Path) -> None:
    with h5py.File(saved(tmp_path / "scan.h5"), "a") as file:
        data = file["exchange/data"]
        if attribute:
            data.attrs["axes"] = "y:theta:x"
        else:
            data.dims[0].label, data.dims[1].label, data.dims[2].label = "detector_y", "rotation_angle", "detector_x"
    assert "holds projections" in refusal(tmp_path / "scan.h5")


def test_letters_in_longer_names_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Savu counts voxel_y along the rotation's axis, others voxel_z."""
    for n, names in enumerate((["voxel_z", "voxel_y", "voxel_x"], ["voxel_x", "voxel_y", "voxel_z"])):
        assert not caplog.records
        with h5py.File(saved(tmp_path / f"{n}.h5"), "a") as file:
            file["exchange"].attrs["axes"] = names
        np.testing.assert_array_equal(open_stack(tmp_path / f"{n}.h5").read(0, 7), VOXELS)
    assert "read as z, y, x in this order; give --stack_axes xyz if they are meant" in caplog.text
    assert open_stack(tmp_path / "1.h5", stack_axes="xyz").shape == (13, 11, 7)


def test_a_reconstruction_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for n, beside in enumerate([{}, {"implements": np.bytes_("exchange")}, {"process__theta": np.arange(900)}]):
        assert open_stack(saved(tmp_path / f"{n}.h5", **beside)).shape == VOXELS.shape
    path = saved(tmp_path / "nabu.h5", "entry/reconstruction/results/data", entry__sample__rotation_angle=np.arange(7))
    assert open_stack(path, stack_key="entry/reconstruction/results/data").shape == VOXELS.shape
    assert not caplog.records


@pytest.mark.parametrize("count", [6, 900])
def test_angles_far_from_a_reconstruction(count: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """TomoPy's files keep what they know of the scan."""
    path = saved(tmp_path / "s.h5", process__acquisition__rotation__angles=np.arange(count))
    assert open_stack(path).shape == VOXELS.shape and not caplog.records


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (
            {"exchange/theta": 7, "exchange/data_white": (2, 11, 13)},
            "exchange/data_white of 2x11x13 and exchange/theta of 7",
        ),
        ({"process/acquisition/rotation/angles": 7}, "process/acquisition/rotation/angles of 7"),
        ({"process/acquisition/rotation/angles": 900}, None),
        ({"exchange/theta": 900, "exchange/data_dark": (2, 9, 13)}, None),
    ],
)
def test_projections_in_zarr_are_told(
    beside: dict[str, Any], said: str | None, zarr_format: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = zarr.open_group(tmp_path / "s.zarr", mode="w", zarr_format=zarr_format)
    root.create_array("exchange/data", data=VOXELS)
    for name, shape in beside.items():
        root.create_array(name, data=np.zeros(shape, np.uint16))
    assert "name one with --stack_key: exchange/data" in refusal(tmp_path / "s.zarr")
    np.testing.assert_array_equal(open_stack(tmp_path / "s.zarr", stack_key="exchange/data").read(0, 7), VOXELS)
    words = f"its exchange/data of 7x11x13 lies beside {said}, as projections do, and is taken for a reconstruction"
    assert [words in message for message in caplog.messages] == ([True] if said else [])


def test_a_reconstruction_beside_its_scan(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    beside = {"exchange__theta": np.arange(900), "exchange__data_white": np.ones((2, 7, 13), "u2")}
    assert open_stack(saved(tmp_path / "s.h5", **beside)).shape == VOXELS.shape
    assert "/exchange/data_white of 2x7x13 and /exchange/theta of 900" in caplog.text
    assert "is taken for a reconstruction because the sizes differ; check that it is." in caplog.text


TURNED = VOXELS.transpose(2, 1, 0)  # x, y, z


def _axes_of_the_group(data: h5py.Dataset) -> None:
    data.parent.attrs["signal"], data.parent.attrs["axes"] = "data", ["x", "y", "z"]


def _axes_of_the_dataset(data: h5py.Dataset) -> None:
    data.attrs["axes"] = "x:y:z"


def _old_nexus(data: h5py.Dataset) -> None:
    data.attrs["signal"], data.attrs["axes"] = 1, b"[x,y,z]"


def _scales(data: h5py.Dataset) -> None:
    for axis, name in enumerate("xyz"):
        scale = data.parent.create_dataset(name, data=np.arange(data.shape[axis]))
        scale.make_scale(name)
        data.dims[axis].attach_scale(scale)


@pytest.mark.parametrize("state", [_axes_of_the_group, _axes_of_the_dataset, _old_nexus, _scales])
def test_another_order_of_axes(state: object, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["exchange/data"] = TURNED
        assert callable(state)
        state(file["exchange/data"])
    np.testing.assert_array_equal(open_stack(tmp_path / "s.h5").read(2, 6), VOXELS[2:6])
    assert not caplog.records


@pytest.mark.parametrize("axes", ["z:y:x", "", "intensity", ["a", "b", "c"], "z:y"])
def test_words_that_change_nothing(axes: str | list[str], tmp_path: Path) -> None:
    with h5py.File(saved(tmp_path / "s.h5"), "a") as file:
        file["exchange/data"].attrs["axes"] = axes
    np.testing.assert_array_equal(open_stack(tmp_path / "s.h5").read(0, 7), VOXELS)


def test_sinograms_beside_their_angles(tmp_path: Path) -> None:
    path = saved(tmp_path / "scan.h5", "exchange/data", exchange__theta=np.arange(11.0))
    assert "holds projections, its /exchange/data of 7x11x13 lies beside /exchange/theta of 11" in refusal(path)


@pytest.mark.parametrize(
    "names", [("entry1/tomo_entry/instrument/detector/data", "entry1/tomo_entry/sample"), ("tomo", "")]
)
def test_projections_are_no_choice(names: tuple[str, str], tmp_path: Path) -> None:
    key, group = names
    path = saved(tmp_path / "scan.nxs", key, **{f"{group}/rotation_angle": np.arange(7.0)})
    said = f"has no dataset /exchange/data; it holds projections, /{key} (7, 11, 13); reconstruct them first, or give"
    assert said in refusal(path)
    with h5py.File(path, "a") as file:
        file["reconstruction"] = VOXELS
    assert "name one with --stack_key: /reconstruction (7, 11, 13)." in refusal(path)


def test_axes_by_their_indices_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for names in (None, [".", "z", "."]):
        path = tmp_path / f"{'scan' if names is None else 'part'}.nxs"
        with h5py.File(path, "w") as file:
            file.attrs["default"] = "entry"
            file.create_group("entry").attrs["signal"] = "data"
            file["entry/data"] = VOXELS.transpose(2, 1, 0)
            if names:
                file["entry"].attrs["axes"] = names
            for axis, name in enumerate("xyz" if names is None else ""):
                file["entry"].attrs[f"{name}_indices"] = axis
        stack = open_stack(path)
        np.testing.assert_array_equal(
            stack.read(0, stack.shape[0]), VOXELS if names is None else VOXELS.transpose(2, 1, 0)
        )
    assert "are called ., z, . and are read as z, y, x in this order; give --stack_axes" in caplog.text
