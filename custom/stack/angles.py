"""The names that the axis of a scan's angles goes by, which no reconstruction has."""

from collections.abc import Iterable

ANGLES = {"theta", "angle", "angles", "rotation_angle", "rotation_angles", "omega"}


def angle_among(names: Iterable[str]) -> str | None:
    """The first of the names that stands for an angle, if any, in any case."""
    return next((name for name in names if name.lower() in ANGLES), None)
