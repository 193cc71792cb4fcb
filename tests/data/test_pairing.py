"""Which label belongs to which image, by their names."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from custom.base.errors import BadInput
from custom.data.pairing import paired
from custom.stack.formats import stem_of

ROOT = Path("some/set")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.tif", "a"),
        ("a.nii.gz", "a"),
        ("A.NII.GZ", "A"),
        ("a.b.tiff", "a.b"),
        ("a.npy", "a"),
        ("a.zarr", "a"),
        ("a.zarr.zip", "a"),
    ],
)
def test_stems(name: str, stem: str) -> None:
    assert stem_of(Path("x") / name) == stem


def pairs(images: str, labels: str) -> dict[str, str]:
    """Names of images -> names of labels; both given as words."""
    sides = (
        {stem_of(path): path for path in (ROOT / part / name for name in names.split())}
        for part, names in (("images", images), ("labels", labels))
    )
    return {image.name: label.name for image, label in paired(*sides).values()}


@pytest.mark.parametrize(
    ("images", "labels", "wanted"),
    [
        ("a.tif b.tif", "b.nrrd a.tif", "a.tif b.nrrd"),
        ("a.tif b.tif", "a_mask.tif b_mask.tif", "a_mask.tif b_mask.tif"),
        ("a.nii.gz", "a_label.nii.gz", "a_label.nii.gz"),
        ("a.nrrd", "a.seg.nrrd", "a.seg.nrrd"),
        ("a_0000.nii.gz b_0000.nii.gz", "a.nii.gz b.nii.gz", "a.nii.gz b.nii.gz"),
        ("a.ome.tif", "a.tif", "a.tif"),
        ("a.tif", "a_labels.ome.tiff", "a_labels.ome.tiff"),
        ("A.TIF", "a.tif", "a.tif"),
        ("image_01.tif image_02.tif", "mask_01.tif mask_02.tif", "mask_01.tif mask_02.tif"),
        ("s_0000.tif s_0001.tif", "s_0000_seg.tif s_0001_seg.tif", "s_0000_seg.tif s_0001_seg.tif"),
        ("s_009.tif s_010.tif s_100.tif", "s_9.tif s_10.tif s_100.tif", "s_9.tif s_10.tif s_100.tif"),
        ("img000.tif img001.tif", "mask000.tif mask001.tif", "mask000.tif mask001.tif"),
        ("s0_img.tif s1_img.tif", "s0_lab.tif s1_binary.tif", "s0_lab.tif s1_binary.tif"),
        ("cell.nrrd", "cell-Segmentation.seg.nrrd", "cell-Segmentation.seg.nrrd"),
        ("a.tif b.tif", "a.tif b_cp_masks.tif", "a.tif b_cp_masks.tif"),
        ("s0.tif s1.tif", "s0.tif.mask.tif s1.tiff_mask.tif", "s0.tif.mask.tif s1.tiff_mask.tif"),
        ("s0.tif s1.tif", "s0_ROI.tif lbl_s1.tif", "s0_ROI.tif lbl_s1.tif"),
        (
            "u\N{COMBINING DIAERESIS}.tif",
            "\N{LATIN SMALL LETTER U WITH DIAERESIS}.tif",
            "\N{LATIN SMALL LETTER U WITH DIAERESIS}.tif",
        ),
    ],
)
def test_pairs(images: str, labels: str, wanted: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = pairs(images, labels)
    assert found == dict(zip(images.split(), wanted.split(), strict=True))
    exact = {stem_of(Path(name)) for name in images.split()} == {stem_of(Path(name)) for name in labels.split()}
    assert exact == (not caplog.records)


def test_names_with_blanks() -> None:
    """ImageJ's title of a mask, and ilastik's of objects."""
    image, names = Path("images/s0.tif"), ("Mask of s0.tif", "s0_Object Predictions.tif", "s0-Simple Segmentation.tif")
    for label in (Path("labels", name) for name in names):
        assert paired({"s0": image}, {stem_of(label): label}) == {"s0": (image, label)}


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        ("a.tif b.tif", "a_mask.tif", "images/a.tif: .* if .*labels/a_mask.tif is its label rename that to a.tif"),
        ("a.tif", "a_mask.tif b.tif", "if some/set/labels/a_mask.tif is its label rename that to a.tif"),
        (
            "cell.nrrd",
            "Segmentation.seg.nrrd",
            "if some/set/labels/Segmentation.seg.nrrd is its label rename that to cell",
        ),
        ("a.tif", "a_mask.tif a_label.tif", "a_mask.tif and a_label.tif come near; keep one"),
        ("a.tif", "a.tif a_mask.tif", "labels/a_mask.tif: .* a.tif there has the label a.tif; take one"),
        (
            "a.tif b.tif c.tif",
            "b.tif",
            "images/a.tif: .*/labels, nor have 1 more; name labels as their images, or leave in images/ those that have one",
        ),
        ("a.tif A_raw.tif", "a_mask.tif b.tif", "no file of the same stem"),
        ("s_1.tif s_2.tif", "s_2.tif s_3.tif", "images/s_1.tif: .*; add it"),
        ("s_0001.tif", "s_1.tif s_01.tif", "s_1.tif and s_01.tif come near"),
        ("s_0000.tif s_0001.tif", "s_0001.tif s.tif", "labels/s.tif: |images/s_0000.tif: "),
        ("a.tif b.tif", "b.tif mask.tif", "images/a.tif: .*; add it"),
        ("a.tif b.tif", "a.tif B_mask.nrrd c.tif", "if it belongs to b.tif there rename it to b.nrrd"),
    ],
)
def test_refusals(images: str, labels: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        pairs(images, labels)
    assert re.search(words, str(refused.value)), refused.value
