"""What scanners write and cannot be read is refused in one sentence: the file, what is wrong, what to do."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import scanner_files as files
from PIL import Image

from custom.base.errors import BadInput
from custom.stack import open_stack

VOXELS = np.random.default_rng(0).integers(0, 1 << 16, (7, 11, 13), np.uint16)
FLOATS = VOXELS.astype(np.float32)
Make = Callable[[Path], Path]


def with_text(write: files.Writer, suffix: str, old: str, new: str, voxels: np.ndarray = VOXELS) -> Make:
    """One file of a writer's, with other words in it."""

    def make(folder: Path) -> Path:
        path = write(folder / "s", voxels)
        file = path.with_name(path.name + suffix[1:]) if suffix.startswith("+") else path.with_suffix(suffix)
        assert old.encode() in file.read_bytes()
        file.write_bytes(file.read_bytes().replace(old.encode(), new.encode(), 1))
        return path

    return make


def cut(write: files.Writer, share: float, voxels: np.ndarray = VOXELS) -> Make:
    """Cut short, of a folder one of its files."""

    def make(folder: Path) -> Path:
        path = write(folder / "s", voxels)
        file = sorted(path.iterdir())[3] if path.is_dir() else path
        file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
        return path

    return make


def without(write: files.Writer, suffix: str, voxels: np.ndarray = VOXELS) -> Make:
    def make(folder: Path) -> Path:
        path = write(folder / "s", voxels)
        (path.with_name(path.name + suffix) if suffix == ".info" else path.with_suffix(suffix)).unlink()
        return path

    return make


def bare(name: str, size: int) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(bytes(size))
        return folder / name

    return make


def mrc_of_mode_4(folder: Path) -> Path:
    with mrcfile.new(folder / "s.mrc") as file:
        file.set_data(FLOATS.astype(np.complex64))
    return folder / "s.mrc"


def coloured(folder: Path) -> Path:
    Image.new("RGB", (5, 4)).save(folder / "s.png")
    return folder / "s.png"


def coloured_slice(folder: Path) -> Path:
    path = files.pictures(".png", log=False)(folder / "s", VOXELS)
    Image.new("RGB", (13, 11)).save(path / "cell_rec0010.png")
    return path


def other_size(folder: Path) -> Path:
    path = files.pictures(".png", log=False)(folder / "s", VOXELS)
    Image.fromarray(VOXELS[0, :5]).save(path / "cell_rec0010.png")
    return path


def two_kinds(folder: Path) -> Path:
    path = files.pictures(".png", log=False)(folder / "s", VOXELS)
    Image.fromarray(VOXELS[0].astype(np.uint8)).save(path / "cell_rec0099.bmp")
    return path


def projections_of_skyscan(folder: Path) -> Path:
    path = files.pictures(".png")(folder / "s", VOXELS)
    (path / "cell_rec.log").write_text(files.skyscan_log(False))
    return path


def projections_of_esrf(folder: Path) -> Path:
    path = files.edf_folder(folder / "s", VOXELS)
    shutil.copy(path / "slice_0000.edf", path / "refHST0000.edf")
    return path


def two_series(folder: Path) -> Path:
    (folder / "s").mkdir()
    for prefix in ("A", "B"):
        files.dicom_series(folder / "s", VOXELS, prefix=prefix)
    return folder / "s"


def odd_slice(folder: Path) -> Path:
    (folder / "s").mkdir()
    files.dicom_series(folder / "s", VOXELS)
    (folder / "other").mkdir()
    files.dicom_series(folder / "other", VOXELS[:1, :5])
    import pydicom

    data = pydicom.dcmread(next((folder / "other").iterdir()))
    like = pydicom.dcmread(folder / "s" / "IM0999.dcm")
    data.SeriesInstanceUID, data.StudyInstanceUID = like.SeriesInstanceUID, like.StudyInstanceUID
    data.ImagePositionPatient = [0.5, 0.25, 1.0]
    data.save_as(folder / "s" / "IM2000.dcm")
    return folder / "s"


def two_frames_of_two_sizes(folder: Path) -> Path:
    from fabio.edfimage import EdfImage

    image = EdfImage(data=VOXELS[0])
    image.append_frame(data=VOXELS[0, :5])
    image.write(str(folder / "s.edf"))
    return folder / "s.edf"


REFUSED: dict[str, tuple[Make, str]] = {
    "mrc cut short": (cut(files.mrc(), 0.7), "s.mrc: is cut short, 3026 bytes are announced and 2118 are there"),
    "mrc without its mark": (
        with_text(files.mrc(), ".mrc", "MAP ", "PAM "),
        "s.mrc: cannot read (Map ID string not found",
    ),
    "complex mrc": (mrc_of_mode_4, "s.mrc: its voxels are of MRC mode 4, which is not one of grey values"),
    "edf cut short": (cut(files.edf_volume, 0.7), "s.edf: is cut short"),
    "edf frames cut short": (cut(files.edf_frames, 0.95), "s.edf: is cut short"),
    "edf slice cut short": (cut(files.edf_folder, 0.8), "slice_0003.edf: is cut short"),
    "edf frames of two sizes": (two_frames_of_two_sizes, "s.edf: its frames differ in size or type"),
    "projections of the ESRF": (
        projections_of_esrf,
        "s: holds flat or dark fields (refHST0000.edf), as projections do",
    ),
    "png cut short": (cut(files.pictures(".png", log=False), 0.5), "cell_rec0011.png: cannot read"),
    "coloured picture": (coloured, "s.png: is coloured (RGB); save it as grey values"),
    "coloured slice": (coloured_slice, "cell_rec0010.png: is coloured (RGB)"),
    "slices of two sizes": (other_size, "cell_rec0010.png: is 13 x 5 pixels of uint16 but cell_rec0008.png is 13 x 11"),
    "slices of two kinds": (two_kinds, "s: holds slices of several kinds, 7 .png and 1 .bmp"),
    "projections of SkyScan": (projections_of_skyscan, "s: by cell_rec.log these are X-ray projections"),
    "two DICOM series": (two_series, "s: holds 2 DICOM series (7 slices like "),
    "DICOM slices of two sizes": (odd_slice, "differs in size or type from"),
    "DICOM header cut short": (
        cut(files.dicom(), 0.3),
        "IM0996.dcm: is called a DICOM file, but cannot be read as a slice",
    ),
    "DICOM cut short": (cut(files.dicom(), 0.9), "IM0996.dcm: is called a DICOM file, but cannot be read as a slice"),
    "vol without its info": (
        without(files.esrf_info, ".info", FLOATS),
        "s.vol: nothing says how its voxels lie; put its sidecar (.vgi, .pcr, .info, .xml, .mhd, .nhdr) back beside it",
    ),
    "vol of another size than its info": (
        with_text(files.esrf_info, "+.info", "NUM_Z = 7", "NUM_Z = 8", FLOATS),
        "s.vol: has 4004 bytes, but 13 x 11 x 8 voxels (x, y, z) of float32 as s.vol.info has it are 4576",
    ),
    "info without a size": (
        with_text(files.esrf_info, "+.info", "NUM_Z", "NUM_W", FLOATS),
        "s.vol.info: cannot read ('NUM_Z')",
    ),
    "vol of another size than its xml": (
        with_text(files.esrf_xml, "+.xml", "<SIZEZ>7", "<SIZEZ>6", FLOATS),
        "s.vol: has 4004 bytes, but 13 x 11 x 6 voxels (x, y, z) of float32 as s.vol.xml has it are 3432",
    ),
    "vol of another size than its vgi": (
        with_text(files.vgi(".vol"), ".vgi", "raw\nsize = 13 11 7", "raw\nsize = 13 11 9"),
        "s.vol: has 2002 bytes, but 13 x 11 x 9 voxels (x, y, z) of uint16 as s.vgi has it are 2574",
    ),
    "vgi without its vol": (without(files.vgi(".vgi"), ".vol"), "s.vgi: its data file s.vol is missing"),
    "vgi without a file": (
        with_text(files.vgi(".vgi"), ".vgi", "[file1]", "[none]"),
        "s.vgi: cannot read (no section [file1]",
    ),
    "pcr without its vol": (without(files.pcr(".pcr"), ".vol"), "s.pcr: its data file s.vol is missing"),
    "pcr of an unknown format": (
        with_text(files.pcr(".pcr"), ".pcr", "Format=5", "Format=77"),
        "s.pcr: its voxels are of GE's format 77, which is not known",
    ),
    "pcr of no volume": (
        with_text(files.pcr(".pcr"), ".pcr", "[VolumeData]", "[CT]"),
        "s.pcr: cannot read (no section",
    ),
    "pcr without a size": (
        with_text(files.pcr(".pcr"), ".pcr", "Volume_SizeY", "Volume_Y"),
        "s.pcr: cannot read (No option",
    ),
    "vol of another size than its pcr": (
        with_text(files.pcr(".vol"), ".pcr", "SizeZ=7", "SizeZ=9"),
        "s.vol: has 2002 bytes, but 13 x 11 x 9 voxels (x, y, z) of uint16 as s.pcr has it are 2574",
    ),
    "raw without anything": (bare("s.raw", 2002), "s.raw: nothing says how its voxels lie"),
    "raw of another size than its name": (
        bare("s_13x11x7_16bit.raw", 2001),
        "s_13x11x7_16bit.raw: has 2001 bytes, but 13 x 11 x 7 voxels (x, y, z) of uint16 as its name has it are 2002",
    ),
    "json without a type": (
        with_text(files.raw_with_json, "+.json", '"dtype"', '"kind"'),
        "s.raw.json: does not say how the voxels lie ('dtype')",
    ),
    "json of a wrong size": (
        with_text(files.raw_with_json, "+.json", "[7, 11, 13]", "[7, 143]"),
        "s.raw.json: does not say how the voxels lie ([7, 143] is no size (z, y, x))",
    ),
    "amira as text": (
        with_text(files.amira(), ".am", "BINARY-LITTLE-ENDIAN", "ASCII"),
        "s.am: holds its voxels as text",
    ),
    "amira of bent coordinates": (
        with_text(files.amira(), ".am", '"uniform"', '"curvilinear"'),
        "s.am: is a lattice of curvilinear coordinates; resample it",
    ),
    "amira of a surface": (
        with_text(files.amira(), ".am", "define Lattice", "define Nodes  "),
        "s.am: holds no lattice",
    ),
    "amira of vectors": (
        with_text(files.amira(), ".am", "ushort Data", "ushort[3] Data"),
        "s.am: its voxels are ushort[3]",
    ),
    "amira cut short": (cut(files.amira(), 0.8), "s.am: is cut short"),
    "amira zipped and cut short": (cut(files.amira("HxZip"), 0.8), "s.am: cannot read slices 0 to 6"),
    "another kind of .am": (
        with_text(files.amira(), ".am", "AmiraMesh", "Automake "),
        "s.am: cannot read (not an Amira mesh)",
    ),
    "txm without a volume": (
        lambda folder: files.zeiss(images=1)(folder / "s", VOXELS),
        "s.txm: holds no reconstructed volume but 1 images",
    ),
    "txm cut short": (cut(files.zeiss(), 0.4), "s.txm: cannot read"),
    "projections of Zeiss": (
        lambda folder: files.zeiss(".txrm")(folder / "s", VOXELS),
        "s.txrm: holds X-ray projections",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    make, words = REFUSED[case]
    path = make(tmp_path)
    with pytest.raises(BadInput) as refused:
        stack = open_stack(path)
        stack.read(0, stack.shape[0])
    told = str(refused.value)
    assert words in told and "\n" not in told and ";" in told
    assert told.startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"raw_shape": [7, 11, 13]}, "--raw_dtype is missing; give both"),
        ({"raw_dtype": "uint16"}, "--raw_shape is missing; give both"),
        ({"raw_shape": [7, 11], "raw_dtype": "uint16"}, "[7, 11] is no size (z, y, x)"),
        ({"raw_shape": [7, 11, 0], "raw_dtype": "uint16"}, "is no size (z, y, x)"),
        ({"raw_shape": "7x11x13", "raw_dtype": "uint16"}, "is no size (z, y, x)"),
        ({"raw_shape": [7, 11, 13], "raw_dtype": "grey"}, "'grey' is no type of grey values"),
        (
            {"raw_shape": [7, 11, 13], "raw_dtype": "uint8"},
            "has 2002 bytes, but 13 x 11 x 7 voxels (x, y, z) of uint8 as --raw_shape",
        ),
    ],
)
def test_keys_of_bare_voxels(how: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=re.escape(words)):
        open_stack(bare("s.raw", 2002)(tmp_path), **how)  # type: ignore[arg-type]


def test_keys_of_bare_voxels_are_for_such_files_alone(tmp_path: Path) -> None:
    path = files.mrc()(tmp_path / "s", VOXELS)
    with pytest.raises(BadInput, match="says itself how its voxels lie; leave --raw_shape and --raw_dtype away"):
        open_stack(path, raw_shape=[7, 11, 13], raw_dtype="uint16")


@pytest.mark.parametrize(
    ("package", "make"),
    [
        ("mrcfile", files.mrc()),
        ("fabio", files.edf_volume),
        ("olefile", files.zeiss()),
    ],
)
def test_a_missing_package_is_named(
    package: str, make: files.Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "s", VOXELS)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        BadInput, match=rf"the package {package}, which is not installed; pip install {package}, .*\[formats\]"
    ):
        open_stack(path)
