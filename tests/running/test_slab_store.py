"""Finished slabs on disk: complete, of one set of settings, and there after a kill."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import SimpleITK
import tifffile

from custom.base.errors import BadInput
from custom.running.slab_store import SlabStore
from custom.stack import fingerprint, open_stack

MASK = np.random.default_rng(0).random((3, 5, 7)) < 0.4
SETTINGS = {"stack": "a" * 64, "threshold": 0.5, "patch_size": 128}


def store(folder: Path, **settings: object) -> SlabStore:
    return SlabStore(folder / "out" / ".slabs", SETTINGS | settings)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    slabs = store(tmp_path)
    assert not slabs.begin(overwrite=False) and not slabs.has(6)
    content = {"mask": MASK, "moments.z": np.array([[0.1, -0.0, 1e300]]), "counts": np.array([2**40])}
    slabs.write(6, content)
    found = store(tmp_path).read(6)
    assert list(found) == list(content) and slabs.has(6)
    for name, array in content.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    slabs.remove()
    assert list((tmp_path / "out").iterdir()) == []


def test_the_same_settings_go_on_and_others_are_refused(tmp_path: Path) -> None:
    store(tmp_path).begin(overwrite=False)
    assert store(tmp_path).begin(overwrite=False)
    assert not store(tmp_path, threshold=0.4).begin(overwrite=False)  # no slab would be lost
    store(tmp_path, threshold=0.4).write(0, {"mask": MASK})
    with pytest.raises(BadInput) as refusal:
        store(tmp_path, stack="b" * 64).begin(overwrite=False)
    for words in (str(tmp_path / "out"), "a different stack, a different threshold (0.4, now 0.5)", "--overwrite true"):
        assert words in str(refusal.value)
    assert store(tmp_path, threshold=0.4).has(0)
    assert not store(tmp_path).begin(overwrite=True) and not store(tmp_path).has(0)


def test_a_slab_of_other_settings_is_not_read(tmp_path: Path) -> None:
    slabs = store(tmp_path)
    slabs.begin(overwrite=False)
    store(tmp_path, threshold=0.4).write(0, {"mask": MASK})
    with pytest.raises(BadInput, match="of other settings.*same command again"):
        slabs.read(0)
    assert not slabs.has(0)  # the next run makes it anew


@pytest.mark.parametrize("cut", [0, 100, -1])
def test_a_damaged_slab_is_noticed(cut: int, tmp_path: Path) -> None:
    slabs = store(tmp_path)
    slabs.begin(overwrite=False)
    slabs.write(0, {"mask": MASK})
    file = slabs.file(0)
    content = bytearray(file.read_bytes())
    if cut < 0:
        with np.load(file):
            at = content.index(b"mask.npy") + 100  # within the mask's compressed voxels or their checksum
        content[at] ^= 0xFF
    file.write_bytes(content if cut < 0 else content[:cut])
    with pytest.raises(BadInput, match=str(file)):
        slabs.read(0)
    assert not slabs.has(0)


def test_a_full_disk_keeps_the_slabs_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slabs = store(tmp_path)
    slabs.begin(overwrite=False)
    slabs.write(0, {"mask": MASK})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="No space left.*free some space"):
        slabs.write(3, {"mask": MASK})
    assert slabs.has(0) and not slabs.has(3)
    assert {file.name for file in slabs.folder.iterdir()} == {"00000000.npz", "settings.json"}


def test_what_a_kill_leaves_behind_goes(tmp_path: Path) -> None:
    slabs = store(tmp_path)
    slabs.begin(overwrite=False)
    (slabs.folder / ".00000003.npz.part").write_bytes(b"half")
    assert slabs.begin(overwrite=False)
    assert [file.name for file in slabs.folder.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("content", ["", '{"stack": ', "[1]"])
def test_a_run_that_ended_before_its_first_slab_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "out/.slabs").mkdir(parents=True)
    (tmp_path / "out/.slabs/settings.json").write_text(content)
    assert not store(tmp_path).begin(overwrite=False)


# --- the stack itself ------------------------------------------------------------------------------------------------


def changed(path: Path) -> None:
    """As a program would that writes the file once more."""
    later = time.time_ns() + 10**9
    os.utime(path, ns=(later, later))


def test_every_file_of_a_folder_counts(tmp_path: Path) -> None:
    for z in range(3):
        tifffile.imwrite(tmp_path / f"recon_{z}.tif", np.full((4, 5), z, np.uint8))
    before = fingerprint(open_stack(tmp_path))
    (tmp_path / "notes.txt").write_text("not a slice")
    assert fingerprint(open_stack(tmp_path)) == before
    changed(tmp_path / "recon_1.tif")
    assert fingerprint(open_stack(tmp_path)) != before


def test_the_data_beside_a_header_count(tmp_path: Path) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.ones((2, 3, 4), np.uint8)), str(tmp_path / "cell.mhd"))
    before = fingerprint(open_stack(tmp_path / "cell.mhd"))
    assert fingerprint(open_stack(tmp_path / "cell.mhd")) == before
    changed(tmp_path / "cell.raw")
    assert fingerprint(open_stack(tmp_path / "cell.mhd")) != before


def test_a_stack_that_moved_is_the_same_one(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(4, 3, 2), np.eye(4))
    nibabel.save(image, tmp_path / "here/cell.nii.gz")
    before = fingerprint(open_stack(tmp_path / "here/cell.nii.gz"))
    (tmp_path / "here").rename(tmp_path / "there")
    assert fingerprint(open_stack(tmp_path / "there/cell.nii.gz")) == before


def test_the_sources_of_a_virtual_dataset_count(tmp_path: Path) -> None:
    layout = h5py.VirtualLayout((4, 3, 5), np.uint16)
    for z in range(4):
        with h5py.File(tmp_path / f"part_{z}.h5", "w") as part:
            part["slice"] = np.full((3, 5), z, np.uint16)
        layout[z] = h5py.VirtualSource(f"part_{z}.h5", "slice", (3, 5))
    with h5py.File(tmp_path / "cell.h5", "w") as whole:
        whole.create_virtual_dataset("exchange/data", layout)
    before = fingerprint(open_stack(tmp_path / "cell.h5"))
    changed(tmp_path / "part_2.h5")
    assert fingerprint(open_stack(tmp_path / "cell.h5")) != before
