"""DICOM series: a folder with a file a slice, read with ITK's GDCM, which is imported where there is one."""

from functools import partial
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.clutter import is_clutter
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.numbering import natural_key
from custom.stack.one_by_one import FileBySlice
from custom.stack.place import place_of
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.tiff import FORMAT as TIFF
from custom.stack.units import stated_in_mm
from custom.stack.warn import warn_once

_SUFFIXES = (".dcm", ".ima")
_MAGIC_AT, _MAGIC = 128, b"DICM"
_CONTENTS = "DICOMDIR"
_SERIES, _NUMBER = "0020|000e", "0020|0013"  # SeriesInstanceUID, InstanceNumber
_UNEVEN = 0.01  # of the distance between slices


def open_dicom(path: Path, chosen: Selection) -> Stack:
    """Open the one series of a folder, in the order in which its slices lie in space, or a file of one slice.

    Raises:
        BadInput: damaged, several series, several slices in a file, colours, or slices of different size or type.
    """
    with refusing_damage(path):
        slices = _series(path) if path.is_dir() else [_Slice(path)]
    files = [one.file for one in slices]
    first = slices[0]
    for other in slices[1:]:
        if (other.shape, other.dtype) != (first.shape, first.dtype):
            raise BadInput(
                f"{other.file}: differs in size or type from {first.file.name}; keep one series alone in a folder."
            )
    find_axes(path, (len(files), *first.shape), chosen)  # nothing is left to choose
    step = _step(path, slices)
    sizes = (None if step is None else float(np.linalg.norm(step)), first.spacing[1], first.spacing[0])
    read = [partial(_read, file) for file in files]
    stack = FileBySlice(path, files, first.shape, first.dtype, stated_in_mm(sizes, "DICOM header"), read)
    columns = [first.along_x * first.spacing[0], first.along_y * first.spacing[1], step]
    stack.place = place_of(columns, first.origin, (-1, -1, 1), "mm")
    return stack


def owns(folder: Path) -> bool:
    """Whether a folder holds a series: files called so, or without a suffix and with the mark of DICOM, and no TIFF."""
    try:
        files = [path for path in folder.iterdir() if not is_clutter(path) and path.is_file()]
        if any(path.suffix.lower() in TIFF.suffixes for path in files):
            return False
        bare = next((path for path in files if _is_bare(path)), None)
        return any(path.suffix.lower() in _SUFFIXES for path in files) or (bare is not None and _marked(bare))
    except OSError:
        return False


def _is_bare(file: Path) -> bool:
    """Whether its name has no suffix, but for numbers as in IM.1.2.840; DICOMDIR is a table of contents."""
    return (not file.suffix or file.suffix[1:].isdecimal()) and file.name != _CONTENTS


def _marked(file: Path) -> bool:
    with open(file, "rb") as opened:
        opened.seek(_MAGIC_AT)
        return opened.read(len(_MAGIC)) == _MAGIC


def _series(folder: Path) -> list["_Slice"]:
    """The slices of the one series, in order. ITK's own search for series holds the voxels of all of them at a time."""
    files = [path for path in folder.iterdir() if path.is_file() and not is_clutter(path)]
    named = [path for path in files if path.suffix.lower() in _SUFFIXES or (_is_bare(path) and _marked(path))]
    slices = [_Slice(file) for file in sorted(named, key=natural_key)]
    by_series: dict[str, list[_Slice]] = {}
    for one in slices:
        by_series.setdefault(one.series, []).append(one)
    if len(by_series) > 1:
        words = " and ".join(f"{len(some)} slices like {some[0].file.name}" for some in list(by_series.values())[:3])
        raise BadInput(f"{folder}: holds {len(by_series)} DICOM series ({words}); give each a folder of its own.")
    heights = [round(float(one.origin @ slices[0].normal), 6) for one in slices]
    numbers = [one.number for one in slices]
    for keys in (heights, numbers):  # else by their names
        if None not in keys and len(set(keys)) == len(keys):
            return [slices[place] for place in np.argsort(np.array(keys, float))]
    return slices


class _Slice:
    """The header of a file."""

    def __init__(self, file: Path) -> None:
        import SimpleITK

        reader = SimpleITK.ImageFileReader()
        reader.SetFileName(str(file))
        reader.SetImageIO("GDCMImageIO")
        try:
            reader.ReadImageInformation()
        except RuntimeError as error:
            raise BadInput(
                f"{file}: is called a DICOM file, but cannot be read as a slice; copy it again from its source, or take it out of "
                "the folder."
            ) from error
        size = reader.GetSize()
        if len(size) > 2 and size[2] > 1:
            raise BadInput(f"{file}: holds {size[2]} slices in one file; export the series with a file a slice.")
        if reader.GetNumberOfComponents() > 1:
            raise BadInput(f"{file}: is coloured; export grey values.")
        self.file, self.shape = file, (int(size[1]), int(size[0]))
        self.dtype = SimpleITK.GetArrayViewFromImage(SimpleITK.Image([1, 1], reader.GetPixelID())).dtype
        self.spacing, self.origin = reader.GetSpacing(), np.array(reader.GetOrigin())
        self.along_x, self.along_y, self.normal = np.array(reader.GetDirection()).reshape(3, 3).T
        said = {key: reader.GetMetaData(key).strip() for key in (_SERIES, _NUMBER) if reader.HasMetaDataKey(key)}
        self.series, number = said.get(_SERIES, ""), said.get(_NUMBER, "")
        self.number = int(number) if number.lstrip("-").isdecimal() else None


def _step(path: Path, slices: list[_Slice]) -> np.ndarray | None:
    """From one slice to the next, in mm; None where there is one slice alone."""
    if len(slices) < 2:
        return None
    steps = np.diff([one.origin for one in slices], axis=0)
    step = np.median(steps, axis=0)
    uneven = np.flatnonzero(np.linalg.norm(steps - step, axis=1) > _UNEVEN * np.linalg.norm(step))
    if len(uneven):
        z = int(uneven[0])
        warn_once(
            f"{path}: its slices do not lie evenly, as between {slices[z].file.name} and {slices[z + 1].file.name}; what follows "
            "a missing slice lies too low in the stack, so look whether slices were lost."
        )
    return step


def _read(file: Path) -> np.ndarray:
    import SimpleITK

    image = SimpleITK.ReadImage(str(file), imageIO="GDCMImageIO")
    voxels = SimpleITK.GetArrayFromImage(image)
    return voxels.reshape(voxels.shape[-2:])


FORMAT = Format("DICOM", _SUFFIXES, open_dicom, slices=True, owns_folder=owns)
