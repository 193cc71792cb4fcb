"""Which label belongs to which image: the file of the same stem, or of one that an exporter lengthened.

A wrong pair would be learned without a word. So stems that differ are paired only where both sides say the same once
the endings below are taken away, and where that leaves no file of either folder alone or with two partners.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from custom.base.errors import BadInput
from custom.stack.formats import stem_of
from custom.stack.warn import warn_once

_WORD = (
    "(?:masks?|labels?|labell?ed|lab|lbl|seg|segmentations?|simple segmentation|object (?:predictions|identities)|annotations?|"
    "binary|gt|ground ?truth|roi|lithium)"
)
# a_mask, a-label, a.seg, a-Segmentation.seg, mask_a, mask001, Mask of a (ImageJ), a_Simple Segmentation (ilastik),
# a_cp_masks (Cellpose), a.tif_mask
_OF_LABELS = re.compile(rf"^{_WORD}(?: of)?(?:[ ._-]+|(?=\d))|(?:(?:\.tiff?)?[ ._-]+(?:cp[ ._-])?{_WORD})+$")
_OF_IMAGES = re.compile(r"^(?:images?|img|raw)(?:[ ._-]+|(?=\d))|[ ._-]+(?:images?|img|raw|gr[ae]y)$")
_CHANNEL_0 = re.compile("_0000$")  # nnU-Net's images; its labels have nothing added
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_OME = re.compile(r"\.ome$")


def paired(images: Mapping[str, Path], labels: Mapping[str, Path]) -> dict[str, tuple[Path, Path]]:
    """Image and label for the stem of every image.

    Args:
        images, labels: the files of both folders by their stems.

    Raises:
        BadInput: a file without partner, which names the one that it may be meant for and how to rename it.
    """
    alone = {stem: path for stem, path in images.items() if stem not in labels}
    others = {stem: path for stem, path in labels.items() if stem not in images}
    pairs = {stem: (image, labels[stem]) for stem, image in images.items() if stem in labels}
    if not alone and not others:
        return pairs
    near = {stem: [other for other in others.values() if alike(path, other, not pairs)] for stem, path in alone.items()}
    partners = [partner for several in near.values() for partner in several]
    if len(alone) == len(others) == len(set(partners)) == len(partners) and all(near.values()):
        one = next(iter(alone))
        warn_once(
            f"{near[one][0].parent}: labels and images whose names differ are paired, such as {near[one][0].name} with "
            f"{alone[one].name} ({len(partners)} in all); rename them if that is wrong."
        )
        return pairs | {stem: (image, near[stem][0]) for stem, image in alone.items()}
    single = len(images) == len(labels) == 1
    if single or min([*alone, *others]) in alone:
        one = min(alone)
        raise _no_label(alone[one], list(others.values()) if single else near[one], len(alone) - 1)
    path = others[min(others)]
    raise _no_image(path, [image for image in images.values() if alike(image, path)], labels)


def _no_label(image: Path, near: list[Path], more: int) -> BadInput:
    fault = f"{image}: this image has no file of the same stem in {image.parent.parent / 'labels'}"
    if not near:
        likewise = (
            f", nor have {more} more; name labels as their images, or leave in {image.parent.name}/ those that have one"
            if more
            else "; add it or take this one away"
        )
        return BadInput(f"{fault}{likewise}")
    if len(near) > 1:
        names = " and ".join(label.name for label in near[:3])
        return BadInput(f"{fault}, where {names} come near; keep one of them and rename it {_renamed(near[0], image)}")
    return BadInput(f"{fault}; if {near[0]} is its label rename that to {_renamed(near[0], image)}")


def _no_image(label: Path, near: list[Path], labels: Mapping[str, Path]) -> BadInput:
    fault = f"{label}: this label has no file of the same stem in {label.parent.parent / 'images'}"
    if not near:
        return BadInput(f"{fault}; add it or take this one away")
    if own := labels.get(stem_of(near[0])):
        return BadInput(f"{fault}, and {near[0].name} there has the label {own.name}; take one of the two labels away")
    return BadInput(f"{fault}; if it belongs to {near[0].name} there rename it to {_renamed(label, near[0])}")


def _renamed(label: Path, image: Path) -> str:
    return stem_of(image) + label.name[len(stem_of(label)) :]


def alike(image: Path, label: Path, channels: bool = True) -> bool:
    """Whether both names are the same without what exporters add: words, leading zeros, capitals, other Unicode forms."""
    first, second = (_OME.sub("", unicodedata.normalize("NFC", stem_of(path)).casefold()) for path in (image, label))
    if channels and _CHANNEL_0.sub("", first) == second:
        return True
    firsts, seconds = [first, _OF_IMAGES.sub("", first)], [second, _OME.sub("", _OF_LABELS.sub("", second))]
    return bool({_ZEROS.sub("", name) for name in firsts} & {_ZEROS.sub("", name) for name in seconds})
