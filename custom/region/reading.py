"""`region.json` as a program or a person wrote it, looked at before anything depends on it."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.region.bend import ORDER, Bend, Coefficients
from custom.region.corners import AXES, Corners, Quad, as_quad
from custom.region.fields import Field
from custom.region.quads import ordered
from custom.region.record import Region, Volume

KEYS = ("about", "volume", "fields", "corners", "shape", "bend", "fill", "invert", "found")
_MOST = 1e15  # of any number; NaN and infinity are no less
_CURE = "mend it, or run without --region to have the region found"


def read_region(path: str | os.PathLike[str]) -> Region:
    """Read `region.json`; one made by hand needs only corners with `yx`.

    Corners in another order than the file's `about` says are put into it, with one warning.

    Raises:
        BadInput: no such file, no JSON, or an entry that cannot be; the sentence names file, entry and cure.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}); give the path of a region.json.") from error
    except ValueError as error:
        raise BadInput(f"{path}: is not JSON ({error}); {_CURE}.") from error
    return _Reader(path).region(content)


class _Reader:
    """Takes a file's entries apart, and refuses in its name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def refuse(self, what: str) -> BadInput:
        return BadInput(f"{self.path}: {what}; {_CURE}.")

    def region(self, content: Any) -> Region:
        content = self.table(content, "the file")
        self.check_keys(content)
        bend, invert = content.get("bend"), content.get("invert")
        return Region(
            corners=self.corners(content.get("corners")),
            shape=self.shape(content.get("shape"), "shape"),
            volume=self.volume(content.get("volume")),
            fields=tuple(
                self.field(one, number) for number, one in enumerate(self.listed(content.get("fields"), "fields"))
            ),
            bend=None if bend is None else self.bend(self.table(bend, "bend")),
            fill=self.number(content["fill"], "fill") if content.get("fill") is not None else None,
            invert=None if invert is None else self.pair(invert, "invert"),
            found=self.table(content.get("found") or {}, "found"),
            path=self.path,
        )

    def check_keys(self, content: Mapping[str, Any]) -> None:
        for key in content:
            near = difflib.get_close_matches(key.strip().lower(), KEYS, n=1, cutoff=0.7)
            if near and key not in KEYS and not key.startswith(tuple(f"{known}_" for known in KEYS)):
                raise self.refuse(f"{key!r} is no entry of it, {near[0]!r} is")

    def corners(self, content: Any) -> Corners:
        stated = {name: quad for name, quad in self.table(content, "corners").items() if quad is not None}
        if unknown := sorted(set(stated) - set(AXES)):
            raise self.refuse(f"corners has {unknown[0]!r}, which is none of {', '.join(AXES)}")
        if "yx" not in stated and len(stated) < 2:
            raise self.refuse("corners has no yx, the four corners [y, x] seen along z")
        return Corners(**{name: self.quad(quad, name) for name, quad in stated.items()})

    def quad(self, content: Any, name: str) -> Quad:
        points = [self.numbers(point, f"corners {name}", 2) for point in self.listed(content, f"corners {name}")]
        if len(points) != 4:
            raise self.refuse(f"corners {name} has {len(points)} points where four are needed")
        return ordered(str(self.path), name, as_quad(points))

    def volume(self, content: Any) -> Volume | None:
        if content is None:
            return None
        content = self.table(content, "volume")
        shape, size = self.shape(content.get("shape"), "volume shape"), content.get("voxel_size_um")
        if shape is None:
            raise self.refuse("volume has no shape [z, y, x]")
        return Volume(shape, str(content.get("dtype")), None if size is None else self.three(size, "voxel_size_um"))

    def field(self, content: Any, number: int) -> Field:
        name = f"field {number}"
        content = self.table(content, name)
        shape = self.shape(content.get("shape"), f"{name} shape")
        if shape is None:
            raise self.refuse(f"{name} has no shape [z, y, x]")
        grey = self.table(content.get("grey") or {}, f"{name} grey")
        identity, correlation = content.get("identity"), content.get("correlation")
        scale = self.number(grey.get("scale", 1), f"{name} grey scale")
        if scale <= 0:
            raise self.refuse(f"the grey scale of {name} is not greater than 0")
        return Field(
            str(content.get("stack")),
            shape,
            None if identity is None else str(identity),
            self.three(content.get("shift") or [0, 0, 0], f"{name} shift"),
            self.number(content.get("rotation_deg") or 0, f"{name} rotation_deg"),
            scale,
            self.number(grey.get("offset", 0), f"{name} grey offset"),
            None if correlation is None else self.number(correlation, f"{name} correlation"),
        )

    def bend(self, content: Mapping[str, Any]) -> Bend:
        return Bend(*(self.coefficients(content.get(face), f"bend {face}") for face in ("first", "last")))

    def coefficients(self, content: Any, name: str) -> Coefficients:
        rows = [self.listed(row, name) for row in self.listed(content, name)]
        if len(rows) > ORDER + 1 or any(len(row) > ORDER + 1 for row in rows):
            raise self.refuse(f"{name} has terms above the order {ORDER}")
        return tuple(tuple(self.number(value, name) for value in row) for row in rows)

    def shape(self, content: Any, name: str) -> tuple[int, int, int] | None:
        if content is None:
            return None
        sizes = self.numbers(content, name, 3)
        if not all(size >= 1 and size.is_integer() for size in sizes):
            raise self.refuse(f"{name} {content} is not three whole numbers of voxels")
        z, y, x = map(int, sizes)
        return z, y, x

    def pair(self, content: Any, name: str) -> tuple[float, float]:
        lower, upper = self.numbers(content, name, 2)
        return lower, upper

    def three(self, content: Any, name: str) -> tuple[float, float, float]:
        z, y, x = self.numbers(content, name, 3)
        return z, y, x

    def numbers(self, content: Any, name: str, count: int) -> list[float]:
        found = [self.number(value, name) for value in self.listed(content, name)]
        if len(found) != count:
            raise self.refuse(f"{name} has {len(found)} numbers where {count} are needed")
        return found

    def number(self, content: Any, name: str) -> float:
        if isinstance(content, bool) or not isinstance(content, (int, float)) or not abs(content) < _MOST:
            raise self.refuse(f"{name} has {json.dumps(content)} where a number is needed")
        return float(content)

    def listed(self, content: Any, name: str) -> list[Any]:
        if content is None and name == "fields":
            return []
        if not isinstance(content, list):
            raise self.refuse(f"{name} is no list" if content is not None else f"{name} is missing")
        return content

    def table(self, content: Any, name: str) -> dict[str, Any]:
        if not isinstance(content, dict):
            raise self.refuse(f"{name} is no JSON object in braces" if content is not None else f"{name} is missing")
        return content
