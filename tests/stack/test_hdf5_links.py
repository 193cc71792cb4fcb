"""Datasets of HDF5 behind links and NeXus' default attributes; what is broken is called so."""

import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import refusal

from custom.stack import open_stack

VOXELS = np.random.default_rng(0).integers(1, 1 << 16, (4, 11, 13), np.uint16)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A master file of links, the sound ones to one volume in recon.h5."""
    with h5py.File(tmp_path / "recon.h5", "w") as file:
        file["recon/data"] = VOXELS
        file["back"] = h5py.ExternalLink("scan.nxs", "/round")
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file.create_group("entry/result")["data"] = h5py.ExternalLink("recon.h5", "/recon/data")
        file["soft"] = h5py.SoftLink("/entry/result/data")
        file["hard"] = file["entry"]
        file["up/root"] = file["/"]
        file["group"] = h5py.ExternalLink("recon.h5", "/recon")
        file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
        file["round"] = h5py.ExternalLink("recon.h5", "/back")
        file["moved"] = h5py.ExternalLink("moved_away.h5", "/recon/data")
        file["empty"] = h5py.ExternalLink("recon.h5", "/recon/dat")
        file["soft_to_moved"] = h5py.SoftLink("moved")
    return tmp_path / "scan.nxs"


@pytest.mark.parametrize(
    "key", ["entry/result/data", "soft", "hard/result/data", "up/root/soft", "group/data", "up/root/group/data"]
)
def test_sound_links(key: str, scan: Path) -> None:
    stack = open_stack(scan, stack_key=key)
    np.testing.assert_array_equal(stack.read(0, 4), VOXELS)
    assert stack.files == [scan, scan.parent / "recon.h5"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("a", "its /a is a link to itself in the end"),
        ("round", "its /round is a link to itself in the end"),
        (
            "moved",
            "its /moved is a link to /recon/data in moved_away.h5, which is missing; put it back beside the file.",
        ),
        ("up/root/moved", "is a link to /recon/data in moved_away.h5, which is missing"),
        ("soft_to_moved", "is a link to /recon/data in moved_away.h5, which is missing"),
        ("empty", "its /empty is a link to /recon/dat in recon.h5, which holds no such thing"),
        ("nothing", "has no dataset nothing; name one with --stack_key: /soft (4, 11, 13)."),
        (None, "has no dataset /exchange/data; name one with --stack_key: /soft (4, 11, 13)."),
    ],
)
def test_links_that_lead_nowhere(key: str | None, words: str, scan: Path) -> None:
    assert words in refusal(scan, stack_key=key)


def test_a_file_of_broken_links(scan: Path) -> None:
    (scan.parent / "recon.h5").write_bytes(b"no longer HDF5")
    with h5py.File(scan, "a") as file:
        for name in ("a", "b", "up", "moved"):
            del file[name]
        file["exchange/data"] = h5py.SoftLink("/entry/result/data")
    assert "its /exchange/data is a link to /recon/data in recon.h5, which is not HDF5; copy" in refusal(scan)
    assert "has no dataset nothing; the link /empty leads to /recon/dat in recon.h5, which is not HDF5" in refusal(
        scan, stack_key="nothing"
    )


def test_a_link_as_windows_writes_it_leads_to_a_file_of_that_whole_name(scan: Path) -> None:
    with h5py.File(scan, "a") as file:
        file["exchange/data"] = h5py.ExternalLink("D:\\beam\\recon.h5", "/recon/data")
    cure = "ln -s recon.h5 'D:\\beam\\recon.h5'"
    assert refusal(scan).endswith(f"under that whole Windows path as its name, as by {cure}.")
    subprocess.run(cure, shell=True, cwd=scan.parent, check=True)
    np.testing.assert_array_equal(open_stack(scan).read(0, 4), VOXELS)


def test_a_file_of_an_absolute_link_is_looked_for_beside(scan: Path) -> None:
    """As HDF5 does, where the folder of the link is gone."""
    with h5py.File(scan, "a") as file:
        file["sound"] = h5py.ExternalLink("/gone/recon.h5", "/recon/data")
        file["exchange/data"] = h5py.ExternalLink("/gone/recon.h5", "/recon/dat")
    np.testing.assert_array_equal(open_stack(scan, stack_key="sound").read(0, 4), VOXELS)
    assert "is a link to /recon/dat in /gone/recon.h5, which holds no such thing; put" in refusal(scan)


@pytest.mark.parametrize("key", [None, "\udcb5CT", "/b'\\xb5CT'"])
def test_a_dataset_whose_name_is_no_text_is_to_be_renamed(key: str | None, tmp_path: Path) -> None:
    path = tmp_path / "windows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(b"\xb5CT", data=VOXELS)
    assert refusal(path, stack_key=key).endswith(r"with h5py.File(..., 'r+').move(b'\xb5CT', 'new_name').")
    with h5py.File(path, "r+") as file:
        file.move(b"\xb5CT", "new_name")
    np.testing.assert_array_equal(open_stack(path, stack_key="new_name").read(0, 4), VOXELS)


@pytest.mark.parametrize("left", [0, 1000])
def test_the_file_at_the_end_of_a_link_is_the_damaged_one(scan: Path, left: int) -> None:
    layout = h5py.VirtualLayout(VOXELS.shape, "u2")
    layout[:] = h5py.VirtualSource("recon.h5", "recon/data", VOXELS.shape)
    with h5py.File(scan, "a") as file:
        file.create_virtual_dataset("virtual", layout)
    whole = (scan.parent / "recon.h5").read_bytes()
    (scan.parent / "recon.h5").write_bytes(whole[:left])
    assert "takes its voxels from recon.h5, which is damaged, cut short or no HDF5" in refusal(
        scan, stack_key="virtual"
    )
    said = refusal(scan, stack_key="entry/result/data")
    assert "data in recon.h5, which is " + ("damaged or cut short" if left else "not HDF5") in said


@pytest.mark.parametrize("style", ["signal", "absolute", "down to the dataset"])
def test_what_nexus_shows_by_default(style: str, tmp_path: Path) -> None:
    path = tmp_path / "volume.nxs"
    with h5py.File(path, "w") as file:
        results = file.create_group("entry/reconstruction/results")
        results["data"] = VOXELS
        results["other"] = VOXELS[:2]
        if style == "signal":
            file.attrs["default"], file["entry"].attrs["default"] = "entry", "reconstruction"
            file["entry/reconstruction"].attrs["default"], results.attrs["signal"] = np.array([b"results"]), "data"
        elif style == "absolute":
            file.attrs["default"], results.attrs["signal"] = "/entry/reconstruction/results", "data"
        else:
            file.attrs["default"] = "entry/reconstruction/results/data"
    np.testing.assert_array_equal(open_stack(path).read(0, 4), VOXELS)
    if style != "down to the dataset":
        np.testing.assert_array_equal(open_stack(path, stack_key="/entry/reconstruction/results").read(0, 4), VOXELS)
    with h5py.File(path, "a") as file:
        file["exchange/data"] = VOXELS[:3]
    assert open_stack(path).shape[0] == 3  # the usual one goes first


def test_a_default_that_is_no_volume(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.nxs", "w") as file:
        file["flux/current"], file["flux/volume"] = np.zeros(9), VOXELS
        file.attrs["default"], file["flux"].attrs["signal"] = "flux", "current"
    assert "name one with --stack_key: /flux/volume (4, 11, 13)." in refusal(tmp_path / "s.nxs")
    with h5py.File(tmp_path / "s.nxs", "a") as file:
        file["flux"].attrs["signal"] = "gone"
    assert "name one with --stack_key: /flux/volume (4, 11, 13)." in refusal(tmp_path / "s.nxs")


ESRF = "configuration/processing_options/reconstruction"


@pytest.mark.parametrize(
    ("where", "value", "attributes", "um"),
    [
        (f"entry/{ESRF}/voxel_size_cm", [1.3e-4] * 3, {}, 1.3),
        (f"entry/{ESRF}/pixel_size_cm", 2e-4, {}, 2.0),
        ("entry/results/voxel_size_cm", np.float32(1.5e-4), {}, 1.5),
        ("entry/results/voxel_size_um", [0.65], {}, 0.65),
        ("entry/results/voxel_size", 7e-7, {"units": "m"}, 0.7),
        ("entry/results/voxel_size_cm", 1.3, {"units": "micrometer"}, 1.3),
        ("entry/results/voxel_size", 1.3, {}, None),
        ("other/voxel_size_cm", 1e-4, {}, None),
    ],
)
def test_a_voxel_size_beside(
    where: str, value: Any, attributes: dict[str, str], um: float | None, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["entry/results/data"], file[where] = VOXELS, value
        file[where].attrs.update(attributes)
    stack = open_stack(tmp_path / "s.h5", stack_key="entry/results/data")
    assert stack.voxel_size_um == (None if um is None else (um,) * 3)
    assert stack.voxel_size_source == (None if um is None else f"HDF5 dataset /{where}")


def test_voxels_that_are_no_cubes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["exchange/data"], file["exchange/voxel_size_cm"] = VOXELS, [1e-4, 1e-4, 2e-4]
    assert open_stack(tmp_path / "s.h5").voxel_size_um is None
    assert "states the voxel size 0.0001 x 0.0001 x 0.0002 cm, which programs read in different orders" in caplog.text
