"""DICOM series: a folder with a file a slice, read with ITK's GDCM."""

from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK

from custom.base.errors import BadInput
from custom.stack.axes import find_axes
from custom.stack.clutter import is_clutter
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.one_by_one import FileBySlice
from custom.stack.place import place_of
from custom.stack.selection import Selection
from custom.stack.slice_folder import files_of
from custom.stack.stack import Stack
from custom.stack.tiff import FORMAT as TIFF
from custom.stack.units import stated_in_mm
from custom.stack.warn import warn_once

_SUFFIXES = (".dcm", ".ima")
_MAGIC_AT, _MAGIC = 128, b"DICM"
_UNEVEN = 0.01  # of the distance between slices


def open_dicom(path: Path, chosen: Selection) -> Stack:
    """Open the one series of a folder, in the order in which its slices lie in space, or a file of one slice.

    Raises:
        BadInput: damaged, several series, several slices in a file, colours, or slices of different size or type.
    """
    with refusing_damage(path):
        files = _series(path) if path.is_dir() else [path]
        slices = [_Slice(file) for file in files]
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
        bare = next((path for path in files if not path.suffix or path.suffix[1:].isdecimal()), None)
        return any(path.suffix.lower() in _SUFFIXES for path in files) or (bare is not None and _marked(bare))
    except OSError:
        return False


def _marked(file: Path) -> bool:
    with open(file, "rb") as opened:
        opened.seek(_MAGIC_AT)
        return opened.read(len(_MAGIC)) == _MAGIC


def _series(folder: Path) -> list[Path]:
    ids = SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not ids:
        raise BadInput(f"{folder}: holds no DICOM series that can be read; copy it again from its source.")
    names = [SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series) for series in ids]
    if len(ids) > 1:
        words = " and ".join(f"{len(files)} slices like {Path(files[0]).name}" for files in names[:3])
        raise BadInput(f"{folder}: holds {len(ids)} DICOM series ({words}); give each a folder of its own.")
    files = [Path(name) for name in names[0]]
    lost = [file.name for file in files_of(folder, _SUFFIXES) if file.name not in {known.name for known in files}]
    if lost:
        raise BadInput(
            f"{folder / lost[0]}: is called a DICOM file, but cannot be read as a slice{f' (and {len(lost) - 1} more)' if lost[1:] else ''}; "
            "copy it again from its source, or take it out of the folder."
        )
    return files


class _Slice:
    """The header of a file."""

    def __init__(self, file: Path) -> None:
        reader = SimpleITK.ImageFileReader()
        reader.SetFileName(str(file))
        reader.SetImageIO("GDCMImageIO")
        reader.ReadImageInformation()
        size = reader.GetSize()
        if len(size) > 2 and size[2] > 1:
            raise BadInput(f"{file}: holds {size[2]} slices in one file; export the series with a file a slice.")
        if reader.GetNumberOfComponents() > 1:
            raise BadInput(f"{file}: is coloured; export grey values.")
        self.file, self.shape = file, (int(size[1]), int(size[0]))
        self.dtype = SimpleITK.GetArrayViewFromImage(SimpleITK.Image([1, 1], reader.GetPixelID())).dtype
        self.spacing, self.origin = reader.GetSpacing(), np.array(reader.GetOrigin())
        self.along_x, self.along_y, self.normal = np.array(reader.GetDirection()).reshape(3, 3).T


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
    image = SimpleITK.ReadImage(str(file), imageIO="GDCMImageIO")
    voxels = SimpleITK.GetArrayFromImage(image)
    return voxels.reshape(voxels.shape[-2:])


FORMAT = Format("DICOM", _SUFFIXES, open_dicom, slices=True, owns_folder=owns)
