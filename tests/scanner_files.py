"""Files as scanners and the programs beside them write them: by their own libraries where there are some, else byte by byte.

No program at hand writes .txm, .vgi, .pcr, .vol with .info, .am and SkyScan's logs: these are made by the descriptions that their
readers name.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ZYX_UM = (2.5, 1.25, 1.25)
CUBE_UM = 1.25
Writer = Callable[[Path, np.ndarray], Path]


def mrc(suffix: str = ".mrc", angstrom: bool = True) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        import mrcfile

        with mrcfile.new(path.with_suffix(suffix)) as file:
            file.set_data(voxels)
            if angstrom:
                file.voxel_size = tuple(size * 1e4 for size in ZYX_UM[::-1])
        return path.with_suffix(suffix)

    return write


def edf_frames(path: Path, voxels: np.ndarray) -> Path:
    from fabio.edfimage import EdfImage

    image = EdfImage(data=voxels[0], header=_psize())
    for plane in voxels[1:]:
        image.append_frame(data=plane)
    image.write(str(path.with_suffix(".edf")))
    return path.with_suffix(".edf")


def edf_folder(path: Path, voxels: np.ndarray) -> Path:
    from fabio.edfimage import EdfImage

    path.mkdir()
    for z, plane in enumerate(voxels):
        EdfImage(data=plane, header=_psize()).write(str(path / f"slice_{z:04d}.edf"))
    return path


def edf_volume(path: Path, voxels: np.ndarray) -> Path:
    """With Dim_3, which fabio reads and does not write; the higher byte first."""
    kinds = {"u1": "UnsignedByte", "u2": "UnsignedShort", "i2": "SignedShort", "f4": "FloatValue"}
    sizes = "".join(f"Dim_{n} = {length} ;\n" for n, length in enumerate(voxels.shape[::-1], 1))
    kind = f"ByteOrder = HighByteFirst ;\nDataType = {kinds[voxels.dtype.str[1:]]} ;\n"
    head = f"{{\nHeaderID = EH:000001:000000:000000 ;\n{kind}{sizes}Size = {voxels.nbytes} ;\n"
    data = voxels.astype(voxels.dtype.newbyteorder(">")).tobytes()
    path.with_suffix(".edf").write_bytes(head.encode().ljust(510) + b"}\n" + data)
    return path.with_suffix(".edf")


def _psize() -> dict[str, str]:
    return {f"PSize_{axis}": f"{CUBE_UM * 1e-6:g}" for axis in (1, 2)}


def pictures(suffix: str, log: bool = True) -> Writer:
    """A folder of SkyScan's: NRecon's log and preview beside its slices."""

    def write(path: Path, voxels: np.ndarray) -> Path:
        from PIL import Image

        path.mkdir()
        how: dict[str, Any] = {"irreversible": False} if suffix == ".jp2" else {}
        for z, plane in enumerate(voxels):
            Image.fromarray(plane).save(path / f"cell_rec{z + 8:04d}{suffix}", **how)
        if log:
            Image.fromarray(voxels[0][:5]).save(path / f"cell_rec_spr{suffix}", **how)
            (path / "cell_rec.log").write_text(skyscan_log(True))
        return path

    return write


def skyscan_log(reconstructed: bool) -> str:
    scan = "[System]\nScanner=SkyScan1272\n[Acquisition]\nImage Pixel Size (um)=0.75\nFilename Prefix=cell_rec\n"
    return scan + (
        f"[Reconstruction]\nReconstruction Program=NRecon\nPixel Size (um)={CUBE_UM}\n" if reconstructed else ""
    )


def dicom(named: bool = True) -> Writer:
    """A series of pydicom's, whose names are in another order than its slices."""

    def write(path: Path, voxels: np.ndarray) -> Path:
        path.mkdir()
        dicom_series(path, voxels, named)
        return path

    return write


def dicom_series(
    folder: Path, voxels: np.ndarray, named: bool = True, prefix: str = "IM", gap: int | None = None
) -> None:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    series, study = generate_uid(), generate_uid()
    z_mm, y_mm, x_mm = (size / 1000 for size in ZYX_UM)
    for z, plane in enumerate(voxels):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        data.Modality, data.SeriesInstanceUID, data.StudyInstanceUID = "CT", series, study
        data.Rows, data.Columns = plane.shape
        data.BitsAllocated = data.BitsStored = 8 * plane.dtype.itemsize
        data.HighBit, data.SamplesPerPixel = data.BitsStored - 1, 1
        data.PixelRepresentation, data.PhotometricInterpretation = int(plane.dtype.kind == "i"), "MONOCHROME2"
        data.PixelSpacing, data.ImageOrientationPatient = [y_mm, x_mm], [1, 0, 0, 0, 1, 0]
        low = z + (gap is not None and z >= gap)
        data.ImagePositionPatient, data.InstanceNumber = [0.5, 0.25, round(low * z_mm, 6)], z + 1
        data.PixelData = plane.tobytes()
        name = f"{prefix}{999 - z:04d}"
        data.save_as(folder / (f"{name}.dcm" if named else name), enforce_file_format=True)


def esrf_info(path: Path, voxels: np.ndarray) -> Path:
    z, y, x = voxels.shape
    path.with_suffix(".vol").write_bytes(voxels.astype("<f4").tobytes())
    path.with_suffix(".vol.info").write_text(
        f"! PyHST_SLAVE VOLUME INFO FILE\nNUM_X = {x}\nNUM_Y = {y}\nNUM_Z = {z}\nvoxelSize = {CUBE_UM}\n"
        "BYTEORDER = LOWBYTEFIRST\nValMin = -1.0\nValMax = 1.0\n"
    )
    return path.with_suffix(".vol")


def esrf_xml(path: Path, voxels: np.ndarray) -> Path:
    path.with_suffix(".vol").write_bytes(voxels.astype(">f4").tobytes())
    sizes = "".join(f"<SIZE{axis}>{n}</SIZE{axis}>" for axis, n in zip("ZYX", voxels.shape, strict=True))
    volume = (
        f"<subVolume><SUBVOLUME_NAME>s.vol</SUBVOLUME_NAME>{sizes}<BYTE_ORDER>HIGHBYTEFIRST</BYTE_ORDER></subVolume>"
    )
    path.with_suffix(".vol.xml").write_text(
        f"<tomodb2><reconstruction><listSubVolume>{volume}</listSubVolume><voxelSize>{CUBE_UM}</voxelSize></reconstruction></tomodb2>"
    )
    return path.with_suffix(".vol")


def vgi(give: str) -> Writer:
    """A volume of Volume Graphics', given by its header or by its voxels."""

    def write(path: Path, voxels: np.ndarray) -> Path:
        kind = {"u": "unsigned integer", "i": "signed integer", "f": "float"}[voxels.dtype.kind]
        size = " ".join(map(str, voxels.shape[::-1]))
        about = f"size = {size}\ndatatype = {kind}\nbitsperelement = {8 * voxels.dtype.itemsize}\n"
        mm = " ".join(f"{edge / 1000:g}" for edge in ZYX_UM[::-1])
        path.with_suffix(".vol").write_bytes(voxels.tobytes())
        path.with_suffix(".vgi").write_text(
            f"{{volume1}}\n[representation]\n{about}datarange = 0 -1\n[file1]\nSkipHeader = 0\nFileFormat = raw\n"
            f"{about}Name = {path.stem}.vol\n{{volumeprimitive12}}\n[geometry]\nresolution = {mm}\nunit = mm\n"
        )
        return path.with_suffix(give)

    return write


def pcr(give: str, name: str = "{}.vol") -> Writer:
    """A volume of GE's, given by its header or by its voxels, which it says lie on the scanner's own disk."""

    def write(path: Path, voxels: np.ndarray) -> Path:
        sizes = "".join(f"Volume_Size{axis}={n}\n" for axis, n in zip("ZYX", voxels.shape, strict=True))
        kind = {"uint8": 1, "uint16": 5, "float32": 10}[str(voxels.dtype)]
        volume = path.with_name(name.format(path.name))
        volume.write_bytes(voxels.tobytes())
        path.with_suffix(".pcr").write_text(
            f"[Versions]\nVersion-datos|x=2.2\n[VolumeData]\nVOL_File=D:\\scans\\{volume.name}\nFormat={kind}\n{sizes}"
            f"VoxelSizeRec={CUBE_UM / 1000}\nMin=-0.1\nMax=0.9\n[ROI]\nROI_SizeX=0\n"
        )
        return path.with_suffix(give)

    return write


def named_raw(path: Path, voxels: np.ndarray) -> Path:
    size = "x".join(map(str, voxels.shape[::-1]))
    path = path.with_name(f"{path.name}_{size}_{voxels.dtype}.raw")
    path.write_bytes(voxels.astype(voxels.dtype.newbyteorder("<")).tobytes())
    return path


def raw_with_json(path: Path, voxels: np.ndarray) -> Path:
    about = {
        "shape": list(voxels.shape),
        "dtype": f">{voxels.dtype.str[1:]}",
        "offset": 5,
        "voxel_size_um": list(ZYX_UM),
    }
    path.with_suffix(".raw").write_bytes(b"12345" + voxels.astype(about["dtype"]).tobytes())
    path.with_suffix(".raw.json").write_text(json.dumps(about))
    return path.with_suffix(".raw")


def raw_of_itk(path: Path, voxels: np.ndarray) -> Path:
    """The voxels of a MetaImage, given in place of its header."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing([edge / 1000 for edge in ZYX_UM[::-1]])
    SimpleITK.WriteImage(image, str(path.with_suffix(".mhd")))
    return path.with_suffix(".raw")


def amira(packed: str = "", unit: str | None = "um", big: bool = False) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        kind = {"u1": "byte", "u2": "ushort", "i2": "short", "f4": "float"}[voxels.dtype.str[1:]]
        data = voxels.astype(voxels.dtype.newbyteorder(">" if big else "<")).tobytes()
        data = zlib.compress(data) if packed == "HxZip" else in_runs(data) if packed else data
        ends = " ".join(f"0 {edge * (n - 1):g}" for edge, n in zip(ZYX_UM[::-1], voxels.shape[::-1], strict=True))
        size = " ".join(map(str, voxels.shape[::-1]))
        units = f'    Units {{\n        Coordinates "{unit}"\n    }}\n' if unit else ""
        head = (
            f"# AmiraMesh BINARY{'' if big else '-LITTLE-ENDIAN'} 2.1\n\n\ndefine Lattice {size}\n\nParameters {{\n{units}"
            f'    Content "{kind}, uniform coordinates",\n    BoundingBox {ends},\n    CoordType "uniform"\n}}\n\n'
            f"Lattice {{ {kind} Data }} @1{f'({packed},{len(data)})' if packed else ''}\n\n# Data section follows\n@1\n"
        )
        path.with_suffix(".am").write_bytes(head.encode() + data + b"\n")
        return path.with_suffix(".am")

    return write


def in_runs(data: bytes) -> bytes:
    """HxByteRLE: what repeats as (count, byte), the rest as (128 + count, bytes)."""
    packed, at = bytearray(), 0
    while at < len(data):
        end = at + 1
        while end < len(data) and end - at < 127 and data[end] == data[at]:
            end += 1
        if end - at > 1:
            packed += bytes([end - at, data[at]])
        else:
            while end < len(data) and end - at < 127 and data[end] != data[end - 1]:
                end += 1
            packed += bytes([0x80 | end - at]) + data[at:end]
        at = end
    return bytes(packed)


def zeiss(suffix: str = ".txm", images: int | None = None) -> Writer:
    def write(path: Path, voxels: np.ndarray) -> Path:
        kind = {"u1": 3, "u2": 5, "f4": 10}[voxels.dtype.str[1:]]
        count = len(voxels) if images is None else images
        about = {"ImageWidth": voxels.shape[2], "ImageHeight": voxels.shape[1], "NoOfImages": count, "DataType": kind}
        streams = {f"ImageInfo/{name}": struct.pack("<i", value) for name, value in about.items()}
        streams["ImageInfo/PixelSize"] = struct.pack("<f", CUBE_UM)
        for z, plane in enumerate(voxels[:count]):
            streams[f"ImageData{z // 100 + 1}/Image{z + 1}"] = plane.tobytes()
        path.with_suffix(suffix).write_bytes(ole(streams))
        return path.with_suffix(suffix)

    return write


_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_LISTED = 109  # sectors of the table that the header lists itself
_END, _FREE, _FAT, _DIFAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFC, 0xFFFFFFFF


def ole(streams: dict[str, bytes]) -> bytes:
    """A compound file, version 3, by Microsoft's [MS-CFB]: storages one deep, each level a chain of siblings in order."""
    sectors: list[bytes] = []
    fat: list[int] = []

    def put(data: bytes) -> int:
        """Store it in sectors of its own; the number of the first."""
        if not data:
            return _END
        first, count = len(sectors), -(-len(data) // _SECTOR)
        sectors.extend(data[n * _SECTOR : (n + 1) * _SECTOR].ljust(_SECTOR, b"\0") for n in range(count))
        fat.extend([*range(first + 1, first + count), _END])
        return first

    mini, mini_fat, entries = bytearray(), list[int](), list[list[Any]]()
    entries.append(["Root Entry", 5, _NONE, _NONE, 0, 0])
    storages: dict[str, list[str]] = {}
    for name in streams:
        storages.setdefault(name.split("/")[0], []).append(name)
    order = lambda names: sorted(names, key=lambda name: (len(name), name.upper()))  # noqa: E731
    above: int | None = None
    for storage in order(storages):
        at = len(entries)
        entries.append([storage, 1, _NONE, _NONE, 0, 0])
        entries[0 if above is None else above][3 if above is None else 2] = at
        above, before = at, None
        for name in order(storages[storage]):
            data, place = streams[name], len(entries)
            if len(data) < _CUTOFF:
                first, count = len(mini_fat), -(-len(data) // _MINI)
                mini_fat.extend([*range(first + 1, first + count), _END])
                mini += data.ljust(count * _MINI, b"\0")
            else:
                first = put(data)
            entries.append([name.split("/")[1], 2, _NONE, _NONE, first, len(data)])
            entries[at if before is None else before][3 if before is None else 2] = place
            before = place
    entries[0][4:] = put(bytes(mini)), len(mini)
    mini_start = put(b"".join(struct.pack("<I", n) for n in mini_fat))
    directory = put(b"".join(_entry(*entry) for entry in entries))
    used, more = 1, 0  # sectors of the table, and of the table of tables where they are more than the header can list
    while len(fat) + used + more > used * _SECTOR // 4:
        used += 1
        more = -(-max(used - _LISTED, 0) // (_SECTOR // 4 - 1))
    fat_sectors = list(range(len(sectors), len(sectors) + used))
    table = [*fat, *[_FAT] * used, *[_DIFAT] * more]
    table += [_FREE] * (used * _SECTOR // 4 - len(table))
    packed = struct.pack(f"<{len(table)}I", *table)
    sectors.extend(packed[n * _SECTOR : (n + 1) * _SECTOR] for n in range(used))
    tables = len(sectors)
    for n in range(more):
        here = fat_sectors[_LISTED + n * (_SECTOR // 4 - 1) :][: _SECTOR // 4 - 1]
        here += [_FREE] * (_SECTOR // 4 - 1 - len(here))
        sectors.append(struct.pack(f"<{_SECTOR // 4}I", *here, tables + n + 1 if n + 1 < more else _END))
    head = struct.pack(
        "<8s16s5H6s9I",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, used, directory, 0, _CUTOFF),
        *(mini_start, -(-len(mini_fat) * 4 // _SECTOR), tables if more else _END, more),
    )
    listed = [*fat_sectors[:_LISTED], *[_FREE] * (_LISTED - used)]
    return head + struct.pack(f"<{_LISTED}I", *listed) + b"".join(sectors)


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    links = struct.pack("<III", _NONE, right, child)
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBB", len(text) + 2, kind, 1)
        + links
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )
