"""The same volume, as scanners and the programs beside them write it, opens as the same (Z, Y, X) array."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pytest
import scanner_files as files
import SimpleITK
import tifffile
from PIL import Image

from custom.stack import grey_window, open_stack

Z, Y, X = 7, 11, 13
ROOT = Path(__file__).resolve().parents[2]
INTEGERS = ("uint8", "uint16")
ALL = ("uint8", "uint16", "int16", "float32")
PIXELS = (files.CUBE_UM,) * 3  # what states the size of a pixel, or of a cube

# name -> (what writes it, types that it can hold, the voxel size that it states)
WRITERS: dict[str, tuple[files.Writer, tuple[str, ...], tuple[float, ...] | None]] = {
    "mrc": (files.mrc(), ("uint16", "int16", "float32"), files.ZYX_UM),
    "rec of IMOD's name": (files.mrc(".rec", angstrom=False), ("int16", "float32"), None),
    "edf frames": (files.edf_frames, ALL, PIXELS),
    "edf folder": (files.edf_folder, ALL, PIXELS),
    "edf volume": (files.edf_volume, ALL, None),
    "png": (files.pictures(".png"), INTEGERS, PIXELS),
    "jp2": (files.pictures(".jp2"), INTEGERS, PIXELS),
    "bmp": (files.pictures(".bmp"), ("uint8",), PIXELS),
    "png without a log": (files.pictures(".png", log=False), INTEGERS, None),
    "dicom": (files.dicom(), ("uint16", "int16"), files.ZYX_UM),
    "dicom without suffixes": (files.dicom(named=False), ("uint16", "int16"), files.ZYX_UM),
    "vol with info": (files.esrf_info, ("float32",), PIXELS),
    "vol with xml": (files.esrf_xml, ("float32",), PIXELS),
    "vgi": (files.vgi(".vgi"), ALL, files.ZYX_UM),
    "vol with vgi": (files.vgi(".vol"), ALL, files.ZYX_UM),
    "pcr": (files.pcr(".pcr"), ("uint8", "uint16", "float32"), PIXELS),
    "pcr of a vol of another name": (files.pcr(".pcr", "{}_recon.vol"), ("uint16",), PIXELS),
    "vol with pcr": (files.pcr(".vol"), ("uint8", "uint16", "float32"), PIXELS),
    "raw by its name": (files.named_raw, ALL, None),
    "raw with json": (files.raw_with_json, ALL, files.ZYX_UM),
    "raw of a MetaImage": (files.raw_of_itk, ALL, files.ZYX_UM),
    "amira": (files.amira(), ALL, files.ZYX_UM),
    "amira zipped": (files.amira("HxZip"), ALL, files.ZYX_UM),
    "amira in runs": (files.amira("HxByteRLE"), ("uint8",), files.ZYX_UM),
    "amira big-endian": (files.amira(big=True), ALL, files.ZYX_UM),
    "amira without a unit": (files.amira(unit=None), ALL, None),
    "zeiss": (files.zeiss(), ("uint8", "uint16", "float32"), PIXELS),
}
CASES = [(name, dtype) for name, (_, dtypes, _) in WRITERS.items() for dtype in dtypes]


def volume(dtype: str, shape: tuple[int, int, int] = (Z, Y, X)) -> np.ndarray:
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_the_same_stack(name: str, dtype: str, tmp_path: Path) -> None:
    write, _, stated = WRITERS[name]
    voxels = volume(dtype)
    stack = open_stack(write(tmp_path / "stack", voxels))
    assert (stack.shape, stack.dtype) == ((Z, Y, X), np.dtype(dtype))
    for start, stop in [(0, Z), (5, 7), (1, 2), (3, 6)]:  # going back too
        np.testing.assert_array_equal(stack.read(start, stop), voxels[start:stop])
    np.testing.assert_array_equal(stack.read_box(slice(2, 5), slice(1, 9), slice(4, 6)), voxels[2:5, 1:9, 4:6])
    assert stack.voxel_size_um == (stated and pytest.approx(stated))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stack)).read(6, 7), voxels[6:7])
    assert grey_window(stack) == grey_window(voxels)


LONG: dict[str, files.Writer] = {
    "mrc": files.mrc(),
    "edf frames": files.edf_frames,
    "edf folder": files.edf_folder,
    "png": files.pictures(".png"),
    "dicom": files.dicom(),
    "vgi": files.vgi(".vgi"),
    "raw": files.raw_with_json,
    "amira zipped": files.amira("HxZip"),
    "amira in runs": files.amira("HxByteRLE"),
    "zeiss": files.zeiss(),
}


@pytest.mark.parametrize("name", LONG)
def test_memory_follows_what_is_read(name: str, tmp_path: Path) -> None:
    """Of 200 slices, a slab at a time."""
    voxels = volume("uint8" if name == "amira in runs" else "uint16", (200, 64, 96))
    path, slab = LONG[name](tmp_path / "stack", voxels), 8 * voxels[0].nbytes
    stack = open_stack(path)
    stack.read(0, 8)  # imports and caches of the libraries
    tracemalloc.start()
    for z in range(0, 200, 8):
        np.testing.assert_array_equal(stack.read(z, z + 8), voxels[z : z + 8])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * slab + 200_000 < voxels.nbytes


FILTERS = ["Bitshuffle", "LZ4", "Blosc", "Blosc2", "Zstd"]


@pytest.mark.parametrize("name", FILTERS)
def test_hdf5_with_filters_of_hdf5plugin(name: str, tmp_path: Path) -> None:
    import hdf5plugin

    voxels = volume("uint16")
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.create_dataset("exchange/data", data=voxels, chunks=(2, 8, 8), compression=getattr(hdf5plugin, name)())
        file["exchange/data"].attrs["element_size_um"] = files.ZYX_UM
    stack = open_stack(tmp_path / "s.h5")
    np.testing.assert_array_equal(stack.read(2, 5), voxels[2:5])
    assert stack.voxel_size_um == files.ZYX_UM


def test_raw_as_the_command_says(tmp_path: Path) -> None:
    """It counts more than a sidecar and a name, which may be wrong."""
    voxels = volume("int16")
    (tmp_path / "s_9x9x9_8bit.raw").write_bytes(voxels.astype(">i2").tobytes())
    (tmp_path / "s_9x9x9_8bit.raw.json").write_text('{"shape": [9, 9, 9], "dtype": "uint8"}')
    stack = open_stack(tmp_path / "s_9x9x9_8bit.raw", raw_shape=[Z, Y, X], raw_dtype=">i2", voxel_size_um=2)
    np.testing.assert_array_equal(stack.read(0, Z), voxels)
    assert stack.voxel_size_um == (2, 2, 2)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("cell_13x11x7_16bit", "uint16"),
        ("cell-13x11x7-int16", "int16"),
        ("cell_13x11x7", "uint8"),
        ("cell 13X11X7 32-bit", "float32"),
        ("13x11x7x_float64", "float64"),
    ],
)
def test_raw_by_its_name_is_told(name: str, dtype: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voxels = volume(dtype)
    (tmp_path / f"{name}.raw").write_bytes(voxels.tobytes())
    stack = open_stack(tmp_path / f"{name}.raw")
    assert f"13 wide, 11 high and 7 slices deep, {dtype}, little-endian" in caplog.text
    np.testing.assert_array_equal(stack.read(0, Z), voxels)


def test_mrc_with_its_sections_along_x(tmp_path: Path) -> None:
    """Columns, rows and sections are z, y and x: the volume comes turned, with the cell's own x, y and z."""
    voxels = volume("int16")
    with mrcfile.new(tmp_path / "s.mrc") as file:
        file.set_data(voxels.transpose(2, 1, 0).copy())
        file.header.mapc, file.header.mapr, file.header.maps = 3, 2, 1
        file.header.mx, file.header.my, file.header.mz = X, Y, Z
        file.header.cella = (X * 1e4, Y * 2e4, Z * 3e4)
    stack = open_stack(tmp_path / "s.mrc")
    np.testing.assert_array_equal(stack.read(0, Z), voxels)
    assert stack.voxel_size_um == pytest.approx((3, 2, 1))


def test_mrc_of_the_other_byte_order(tmp_path: Path) -> None:
    voxels = volume("int16")
    written = files.mrc()(tmp_path / "s", voxels)
    with mrcfile.open(written, header_only=True) as file:
        head = bytearray(file.header.byteswap().tobytes())
    head[212:216] = b"\x11\x11\0\0"  # the stamp of such machines
    for text in (slice(104, 108), slice(208, 212)):  # exttyp and "MAP " are text
        head[text] = written.read_bytes()[text]
    written.write_bytes(bytes(head) + voxels.astype(">i2").tobytes())
    stack = open_stack(written)
    np.testing.assert_array_equal(stack.read(0, Z), voxels)
    assert stack.voxel_size_um == pytest.approx(files.ZYX_UM)


@pytest.mark.parametrize("flags", [0, 1])
def test_bytes_of_imod(flags: int, tmp_path: Path) -> None:
    """Without its flag they run from 0 to 255, with it, as in any other MRC file, from -128 to 127."""
    voxels = volume("int8")
    with mrcfile.new(tmp_path / "s.mrc") as file:
        file.set_data(voxels)
    written = bytearray((tmp_path / "s.mrc").read_bytes())
    written[152:160] = (1146047817).to_bytes(4, "little") + flags.to_bytes(4, "little")
    (tmp_path / "s.mrc").write_bytes(written)
    stack = open_stack(tmp_path / "s.mrc")
    assert stack.dtype == ("int8" if flags else "uint8")
    np.testing.assert_array_equal(stack.read(0, Z), voxels if flags else voxels.view(np.uint8))


def test_dicom_lies_where_itk_says(tmp_path: Path) -> None:
    path = files.dicom()(tmp_path / "s", volume("int16"))
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(path)))
    image = reader.Execute()
    index = (3, 4, 5)
    right, back, up = image.TransformIndexToPhysicalPoint(index)
    np.testing.assert_allclose(open_stack(path).affine @ [*index, 1], [-right, -back, up, 1], atol=1e-9)
    np.testing.assert_array_equal(open_stack(path).read(0, Z), SimpleITK.GetArrayFromImage(image))


def test_dicom_values_are_those_of_slope_and_intercept(tmp_path: Path) -> None:
    import pydicom

    voxels = volume("uint16")
    path = files.dicom()(tmp_path / "s", voxels)
    for file in path.iterdir():
        data = pydicom.dcmread(file)
        data.RescaleSlope, data.RescaleIntercept = 0.5, -1000
        data.save_as(file)
    np.testing.assert_allclose(open_stack(path).read(0, Z), voxels * 0.5 - 1000)


def test_dicom_tells_of_a_missing_slice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "s").mkdir()
    files.dicom_series(tmp_path / "s", volume("uint16"), gap=4)
    assert open_stack(tmp_path / "s").shape == (Z, Y, X)
    assert "do not lie evenly, as between IM0996.dcm and IM0995.dcm" in caplog.text


def test_dicom_without_places_goes_by_its_numbers(tmp_path: Path) -> None:
    import pydicom

    voxels = volume("uint16")
    path = files.dicom()(tmp_path / "s", voxels)
    for file in path.iterdir():
        data = pydicom.dcmread(file)
        del data.ImagePositionPatient
        data.save_as(file)
    np.testing.assert_array_equal(open_stack(path).read(0, Z), voxels)


def test_opening_dicom_takes_the_memory_of_its_headers(tmp_path: Path) -> None:
    """ITK's own search for series takes that of all voxels: 39 MB here."""
    path = files.dicom()(tmp_path / "s", volume("uint16", (300, 256, 256)))
    one = next(path.iterdir())
    peaks = []
    for call in (f"SimpleITK.ReadImage({str(one)!r})", "open_stack(sys.argv[1]).read(0, 1)"):
        code = f"import re, sys, SimpleITK\nfrom custom.stack import open_stack\n{call}\nprint(open('/proc/self/status').read())"
        line = [sys.executable, "-c", code, str(path)]
        told = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        peaks.append(int(re.findall(r"VmHWM:\s*(\d+)", told)[0]) // 1024)
    assert peaks[1] - peaks[0] < 20, peaks


def test_labels_may_be_numbers_into_a_table_of_colours(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 3, (Y, X), np.uint8)
    picture = Image.fromarray(labels).convert("P")
    picture.putdata(labels.ravel().tolist())
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "s.png")
    np.testing.assert_array_equal(open_stack(tmp_path / "s.png", labels=True).read(0, 1)[0], labels)


def test_a_log_of_skyscan_beside_tiff_slices(tmp_path: Path) -> None:
    """NRecon writes TIFF too; of two logs the one counts whose name the slices have."""
    voxels = volume("uint16")
    for z, plane in enumerate(voxels):
        tifffile.imwrite(tmp_path / f"cell_rec{z:04d}.tif", plane)
    tifffile.imwrite(tmp_path / "cell_rec_spr.tif", voxels[0, :5])
    (tmp_path / "cell_rec.log").write_text(files.skyscan_log(True))
    (tmp_path / "cell.log").write_text(files.skyscan_log(False))
    stack = open_stack(tmp_path)
    np.testing.assert_array_equal(stack.read(0, Z), voxels)
    assert stack.voxel_size_um == PIXELS and stack.voxel_size_source == "cell_rec.log"


def test_a_sidecar_counts_as_part_of_the_stack(tmp_path: Path) -> None:
    path = files.esrf_info(tmp_path / "s", volume("float32"))
    assert open_stack(path).files == [path, tmp_path / "s.vol.info"]


def test_a_folder_beside_tiff_slices_is_none_of_pictures(tmp_path: Path) -> None:
    """Pictures of slices, as a viewer exports them, do not make another stack of a folder."""
    voxels = volume("uint8")
    folder = files.pictures(".png", log=False)(tmp_path / "s", voxels)
    for z, plane in enumerate(voxels):
        tifffile.imwrite(folder / f"recon_{z}.tif", 255 - plane)
    np.testing.assert_array_equal(open_stack(folder).read(0, Z), 255 - voxels)
