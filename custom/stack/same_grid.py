"""A label brought onto its image's grid: what their places say, against what their order of voxels says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from nibabel.affines import apply_affine
from nibabel.orientations import aff2axcodes

from custom.base.errors import BadInput
from custom.stack.place import Place, plain_affine
from custom.stack.planning import plan_reading
from custom.stack.stack import Stack
from custom.stack.turned import TurnedStack
from custom.stack.warn import tell_once

ON_THE_GRID = (  # the cure for a label of other voxels than its image's
    "resample the label onto the image (SimpleITK.Resample(label, image, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor))"
)
_SAME = 0.1  # voxels at the corners; float32 headers move them by some thousandths
_HALF = 0.55  # no other voxel is nearer; programs differ in whether a place is that of a corner or of a centre
_ROUNDED = 0.01  # by which sizes and directions differ that somebody has rounded
_OVERLAP = 0.05  # share of the image from which two places are taken for two places, not for one that got lost


@dataclass(frozen=True)
class _Fit:
    """One of the 48 ways in which the axes (x, y, z) of a label can be those of an image.

    Attributes:
        order: which of the label's axes are x, y and z of the image.
        flipped: whether they run the other way.
        apart: (corners, 3), how far the places of both put a corner of the stack apart, in voxels of the label.
    """

    order: tuple[int, ...]
    flipped: tuple[bool, ...]
    apart: np.ndarray

    @property
    def worst(self) -> float:
        """Of all corners, in voxels."""
        return float(np.abs(self.apart).max())

    def rounded(self, lengths: np.ndarray) -> bool:
        """Whether there is a point where both agree and rounded numbers explain what they differ by elsewhere."""
        low, high = self.apart.min(axis=0), self.apart.max(axis=0)
        return bool(np.all((low <= _SAME) & (high >= -_SAME) & (high - low <= _ROUNDED * lengths)))


def along_axes_of(label: Stack, image: Stack) -> Stack:
    """A label whose file does not say what its axes are, turned as those of its image if it fits in no other way.

    What a script computes from an array that it read keeps that array's order, and mostly loses the names of its axes.
    """
    order = image.stored_order
    if order in (None, (0, 1, 2)) or label.stored_order is not None:
        return label
    assert order is not None
    turned = TurnedStack(label, order, (False, False, False))
    if turned.shape != image.shape:
        return label
    stored = ", ".join("zyx"[order.index(axis)] for axis in range(3))
    if label.shape == image.shape:
        label.doubt = (
            f"it does not say what its axes are, those of its image are stored as {stored}, and it fits either way"
        )
        return label
    tell_once(
        f"{label.path}: its axes have no names and are taken for {stored}, as its image's, whose shape it then has."
    )
    plan_reading(turned, None, "turned")
    return turned


def on_grid_of(label: Stack, image: Stack) -> Stack:
    """The label with its voxels where those of the image are.

    Axes that run the other way or in another order are turned, which makes no voxel anew. Voxel by voxel belong together
    what lies at the same place, and what does not state one. A header that only tells the size, or nothing (1, 1, 1), has
    lost its place: with so many scripts doing that, the label is taken as it is, with `doubt`, and so it is where the
    places differ by half a voxel or as rounded numbers do. A label of another shape comes back as it is.

    An image that states no place, such as a TIFF, has that which ITK gives it, if a label fits to it exactly when turned:
    one that was drawn over it and rewritten with its axes along R, A and S.

    Raises:
        BadInput: both state a place, of the same shape, and they are not the same.
    """
    if label.place is None or not label.place.stated:
        return label
    if image.place is None or not image.place.stated:
        return _over_no_place(label, image)
    fit = min(_fits(label, image), key=lambda one: one.worst, default=None)
    if fit is not None and fit.worst <= _SAME:
        return _turned(label, image, fit)
    if label.shape == image.shape and (lost := _lost(label, image)):
        label.doubt = f"its header states {lost} and not the place of its image ({in_words(image.place)})"
        return label
    if fit is not None and (fit.worst <= _HALF or fit.rounded(np.array(label.shape[::-1]))):
        turned = _turned(label, image, fit)
        turned.doubt = f"its header puts it up to {fit.worst:.3g} voxels beside its image"
        return turned
    if label.shape != image.shape:
        return label
    apart = "" if fit is None else f", up to {fit.worst:.3g} voxels apart"
    raise BadInput(
        f"{label.path}: lies elsewhere than its image {image.path.name}{apart}, the label has {in_words(label.place)}, the image "
        f"{in_words(image.place)}; {ON_THE_GRID} or, if they fit voxel by voxel, give it the image's place "
        "(label.CopyInformation(image))"
    )


def _over_no_place(label: Stack, image: Stack) -> Stack:
    assert label.place is not None
    to_label = np.linalg.inv(label.place.affine) @ plain_affine(label.place.spacing)
    fit = min(_ways(to_label, label, image), key=lambda one: one.worst, default=None)
    if fit is None or fit.worst <= _SAME:
        return label if fit is None else _turned(label, image, fit)
    if image.place is not None and np.allclose(
        np.array(image.place.spacing) * image.place.mm, np.array(label.place.spacing) * label.place.mm, rtol=_ROUNDED
    ):
        label.doubt = f"its header puts it up to {fit.worst:.3g} voxels beside its image, whose origin is 0"
    return label


def in_words(place: Place) -> str:
    """A place for a sentence."""
    numbers = [", ".join(f"{number + 0.0:.6g}" for number in part) for part in (place.spacing, place.affine[:3, 3])]
    unit = place.unit or "mm"
    axes = "".join(str(code) for code in aff2axcodes(place.affine))
    return f"voxels of ({numbers[0]}) {unit} along {axes}, the first at RAS ({numbers[1]})"


def _fits(label: Stack, image: Stack) -> Iterator[_Fit]:
    """By the numbers as they stand, since a unit gets lost on the way through many a program, by lengths, and as if one of
    them took um for mm."""
    assert image.place is not None and label.place is not None
    scale = image.place.mm / label.place.mm
    for one, other in product(_matrices(image.place), _matrices(label.place)):
        for factor in dict.fromkeys((1.0, scale, 1000.0, 0.001)):
            yield from _ways(np.linalg.inv(other) @ np.diag([factor] * 3 + [1.0]) @ one, label, image)


def _matrices(place: Place) -> list[np.ndarray]:
    return [place.affine] if place.second is None else [place.affine, place.second]


def _ways(to_label: np.ndarray, label: Stack, image: Stack) -> Iterator[_Fit]:
    """What differs for all ways that lead to the image's shape, the plainest first.

    Where a stack is one voxel thick, which slice it is does not count: its name says that.
    """
    lengths, wanted = np.array(label.shape[::-1]), np.array(image.shape[::-1])
    corners = np.array(list(product(*((0, n - 1) for n in wanted))), float)
    found = apply_affine(to_label, corners)
    for order in permutations(range(3)):
        if not np.array_equal(lengths[list(order)], wanted):
            continue
        for flipped in product((False, True), repeat=3):
            expected = np.empty_like(corners)
            for axis, flip in enumerate(flipped):
                along = corners[:, axis]
                expected[:, order[axis]] = wanted[axis] - 1 - along if flip else along
            yield _Fit(order, flipped, (found - expected) * (lengths > 1))


def _turned(label: Stack, image: Stack, fit: _Fit) -> Stack:
    if fit.order == (0, 1, 2) and not any(
        flip and n > 1 for flip, n in zip(fit.flipped[::-1], label.shape, strict=True)
    ):
        return label
    turned = TurnedStack(label, [2 - axis for axis in fit.order[::-1]], fit.flipped[::-1])
    turned.place = image.place
    plan_reading(turned, None, "turned")
    return turned


def _lost(label: Stack, image: Stack) -> str:
    """What is left in the header of a label, or of an image, whose place a program has not passed on; "" if it has."""
    assert image.place is not None and label.place is not None
    if label.place.unset:
        return "voxels of 1 mm at the origin, as programs put there that know nothing"
    if image.place.unset:
        return f"a place ({in_words(label.place)})"
    x, y, z = label.place.spacing
    plain = [np.diag([sign * x, sign * y, z, 1.0]) for sign in (1, -1)]
    size_alone = any(np.allclose(label.place.affine, one, rtol=1e-6, atol=0) for one in plain)
    sizes = [np.multiply(image.place.spacing, factor) for factor in (1.0, image.place.mm / label.place.mm)]
    same = any(np.allclose((x, y, z), size, rtol=_ROUNDED, atol=0) for size in sizes)
    if size_alone and same and _shared(label, image) < _OVERLAP:
        return "the size of its voxels, at the origin"
    return ""


def _shared(label: Stack, image: Stack) -> float:
    """Share of the image, as a box along right, front and up, that the label's box covers."""
    boxes = []
    for stack in (label, image):
        assert stack.place is not None
        ends = list(product(*((-0.5, n - 0.5) for n in stack.shape[::-1])))
        corners = apply_affine(stack.place.affine, np.array(ends))
        boxes.append((corners.min(axis=0), corners.max(axis=0)))
    (low, high), (image_low, image_high) = boxes
    covered = np.clip(np.minimum(high, image_high) - np.maximum(low, image_low), 0, None)
    return float(np.prod(covered / (image_high - image_low)))
