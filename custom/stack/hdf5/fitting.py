"""Whether a source of a virtual dataset is as large as what is taken from it."""

import math
from itertools import accumulate
from operator import mul

from custom.stack.hdf5.selections import Positions


def fits(target: list[Positions], source: list[Positions], shape: tuple[int, ...], endless: bool) -> bool:
    """Whether the source is as large as what is taken from it; HDF5 reads another one line after line, out of step."""
    ends = [
        max(int(product[axis][-1]) + 1 if len(product[axis]) else 0 for product in source) for axis in range(len(shape))
    ]
    if any(end > length for end, length in zip(ends, shape, strict=True)):
        return False
    if endless:
        return True
    if _size(target) == _size(source):
        return not len(target) == len(source) == 1 or _in_step(target[0], source[0])
    ours, theirs = ([len(found) for found in one[0] if len(found) != 1] for one in (target, source))
    return _size(target) < _size(source) and len(target) == len(source) == 1 and ours[1:] == theirs[1:]


def _in_step(target: Positions, source: Positions) -> bool:
    """Whether lines of as many voxels end together: (4, 64, 80) is (256, 80) as well, but (4, 80, 64) written anew is not."""
    ours, theirs = (set(accumulate(map(len, reversed(one)), mul)) for one in (target, source))
    return ours <= theirs or theirs <= ours


def _size(products: list[Positions]) -> int:
    return sum(math.prod(map(len, product)) for product in products)


def fitted(target: Positions, source: Positions, endless: bool) -> tuple[Positions, Positions] | None:
    """Both with as many positions along the axes that have several, the longer one cut."""
    ours, theirs = ([axis for axis, found in enumerate(one) if len(found) != 1] for one in (target, source))
    if endless and len(target) == len(source):
        ours = theirs = list(range(len(target)))
    if len(ours) != len(theirs):
        return None
    cut, cut_source = list(target), list(source)
    for a, b in zip(ours, theirs, strict=True):
        length = min(len(target[a]), len(source[b]))
        if not (endless or a == ours[0]) and len(target[a]) != len(source[b]):
            return None
        cut[a], cut_source[b] = target[a][:length], source[b][:length]
    return tuple(cut), tuple(cut_source)
