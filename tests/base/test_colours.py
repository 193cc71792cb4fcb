"""The colours of classes: orange first, none twice, apart for the colour-blind."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from custom.base.colours import PALETTE, class_colour, class_colours

# linear RGB as seen without one kind of cone (Vienot, Brettel and Mollon 1999)
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deuteranopia": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
}


def test_a_class_keeps_its_colour_whatever_the_others_are() -> None:
    assert class_colours(["lithium"]) == {"lithium": (230, 159, 0)}
    assert class_colours(["pit", "dendrite"]) == {"pit": (230, 159, 0), "dendrite": (86, 180, 233)}
    assert list(class_colours([f"c{i}" for i in range(20)]).values()) == [class_colour(v) for v in range(1, 21)]


def test_all_classes_that_labels_have_room_for_differ() -> None:
    colours = [class_colour(value) for value in range(1, 255)]
    assert len(set(colours)) == 254
    assert all(0 <= part <= 255 for colour in colours for part in colour)
    assert not {(0, 0, 0), (255, 255, 255)} & set(colours)


@pytest.mark.parametrize("value", [0, 255, -1])
def test_what_is_no_class_has_no_colour(value: int) -> None:
    with pytest.raises(ValueError, match="1 to 254"):
        class_colour(value)


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_palette_is_told_apart(blindness: str) -> None:
    linear = (np.array(PALETTE) / 255) ** 2.2
    seen = 255 * np.clip(linear @ np.array(BLINDNESS[blindness]).T, 0, 1) ** (1 / 2.2)
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 35
