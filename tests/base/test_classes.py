"""The key `classes`: which names it may hold, and how many channels they need."""

from __future__ import annotations

from typing import Any

import pytest

from custom.base.classes import channels, class_names
from custom.base.errors import BadInput


@pytest.mark.parametrize(
    ("given", "names"),
    [(["pit", "dendrite"], ("pit", "dendrite")), ("lithium", ("lithium",)), (("b", "a"), ("b", "a"))],
)
def test_names_keep_their_order(given: Any, names: tuple[str, ...]) -> None:
    assert class_names(given) == names


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "no list"),
        ("", "no list"),
        (3, "no list"),
        ({"pit": 1}, "no list"),
        (["pit", 2], "no list"),
        (["pit", " dendrite"], "no list"),
        (["pit", "dead\nlithium"], "no list"),
        (["pit", "br\udcfccke"], "no list"),
        (["pit", "dendrite", "pit"], "'pit' twice"),
        (["background", "pit"], "'background'"),
        ([f"c{i}" for i in range(255)], "255 classes"),
    ],
)
def test_what_names_no_classes_is_refused(given: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        class_names(given)


def test_channels() -> None:
    assert channels(["lithium"]) == 1
    assert channels(["pit", "dendrite"]) == 3
    assert channels([f"c{i}" for i in range(254)]) == 255
