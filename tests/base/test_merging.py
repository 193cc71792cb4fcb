"""Which classes are judged as one, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from custom.base.errors import BadInput
from custom.base.merging import Merging

FIVE = ("electrode", "pit", "dendrite", "redeposited", "impurity")


def test_what_is_left_has_the_values_of_its_order() -> None:
    kept = Merging(FIVE)
    assert (kept.merge, kept.names, kept.values) == (None, FIVE, (0, 1, 2, 3, 4, 5))
    found = Merging(FIVE, {"holes": "pit", "lithium": ("dendrite", "redeposited"), "background": ["impurity"]})
    assert found.names == ("holes", "lithium")
    assert found.values == (0, 0, 1, 2, 2, 0)
    assert found.parts == [[0, 1, 5], [2], [3, 4]]
    assert found.of_labels[:6] == [0, 0, 1, 2, 2, 0] and found.of_labels[255] == 255
    assert found.merge == {"holes": ["pit"], "lithium": ["dendrite", "redeposited"], "background": ["impurity"]}


@pytest.mark.parametrize(
    ("merge", "words"),
    [
        (
            {"lithium": ["dendrites"]},
            "'dendrites' is none of the classes.*know electrode, pit, dendrite, redeposited, impurity",
        ),
        ({"lithium": ["pit"], "holes": ["pit"]}, "'pit' stands both under lithium and under holes"),
        ({"lithium": []}, "no list of classes; give some of electrode"),
        ({"lithium": 3}, "no list of classes"),
        ({"lithium": [3]}, "3 is none of the classes"),
        ({}, "no mapping"),
        (["dendrite"], "no mapping"),
        ("lithium", "no mapping"),
        ({"background": ["pit"]}, "no list of names; give names for what is left"),
        ({"unlabelled": ["pit"]}, "'unlabelled' is what voxels of no class are called"),
        ({1: ["pit"]}, "no list of names"),
    ],
)
def test_what_cannot_be_is_refused_with_a_cure(merge: Any, words: str) -> None:
    with pytest.raises(BadInput, match=f"^--merge.*{words}"):
        Merging(FIVE, merge)


def test_one_class_alone_has_nothing_to_merge() -> None:
    with pytest.raises(BadInput, match="look for lithium alone.*leave --merge away"):
        Merging(("lithium",), {"lithium": ["dendrite"]})
