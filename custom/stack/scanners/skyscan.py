"""The log that SkyScan and Bruker scanners and their NRecon write beside slices: sections of `key=value`."""

from collections.abc import Sequence
from configparser import ConfigParser
from pathlib import Path

from custom.base.errors import BadInput
from custom.stack.faults import refusing_damage
from custom.stack.units import VoxelSize, stated_voxel_size

_SCAN, _RECONSTRUCTION = "Acquisition", "Reconstruction"
_SIZES = ((_RECONSTRUCTION, "pixel size (um)"), (_SCAN, "image pixel size (um)"))
_PREVIEW = "_spr"  # one more picture that NRecon leaves among its slices


def skyscan_log(folder: Path, files: Sequence[Path]) -> VoxelSize | None:
    """The voxel size that the log of these slices states; None where there is no such log.

    Raises:
        BadInput: by the log they are projections.
    """
    found = _log_of(folder, files)
    if found is None:
        return None
    log, said = found
    with refusing_damage(log):
        if not said.has_section(_RECONSTRUCTION):
            raise BadInput(
                f"{folder}: by {log.name} these are X-ray projections, for it tells of no reconstruction; give the folder of "
                "reconstructed slices."
            )
        for section, key in _SIZES:
            if said.has_option(section, key):
                size = said.getfloat(section, key)
                return stated_voxel_size([size, size, size], "um", log.name)
    return None


def without_preview(folder: Path, files: Sequence[Path]) -> list[Path]:
    """The slices without NRecon's preview."""
    if not any(file.stem.lower().endswith(_PREVIEW) for file in files):
        return list(files)
    slices = [file for file in files if not file.stem.lower().endswith(_PREVIEW)]
    return slices if slices and _log_of(folder, slices) else list(files)


def _log_of(folder: Path, files: Sequence[Path]) -> tuple[Path, ConfigParser] | None:
    """The log by whose name those of the slices begin: of cell.log and cell_rec.log beside cell_rec0001.bmp the latter."""
    name = files[0].name.lower() if files else ""
    with refusing_damage(folder):
        logs = [path for path in folder.iterdir() if path.suffix.lower() == ".log" and path.is_file()]
    near = sorted((log for log in logs if name.startswith(log.stem.lower())), key=lambda log: -len(log.stem))
    return next(((log, said) for log in near if (said := _parsed(log))), None)


def _parsed(log: Path) -> ConfigParser | None:
    """What a scanner's log says; None where a file is merely called so."""
    said = ConfigParser(interpolation=None, strict=False, delimiters=("=",), comment_prefixes=(";", "#"))
    try:
        said.read_string(log.read_text(encoding="latin-1"))
    except Exception:  # of another kind, then
        return None
    return said if said.has_section(_SCAN) else None
