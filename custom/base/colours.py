"""Which colour a class has, in every picture and every file: one that the colour-blind tell apart too."""

from __future__ import annotations

from collections.abc import Sequence

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255

# Okabe and Ito's palette without its black, told apart with every common colour blindness (jfly.uni-koeln.de/color)
PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermillion
    (204, 121, 167),  # reddish purple
)
_FURTHEST = 0.8  # towards black or white, which none becomes


def class_colour(value: int) -> Colour:
    """The colour of a label value, 1 to 254: the palette's, then again its seven, darker and lighter by turns.

    All 254 differ; no more than seven are told apart at a glance by anybody.

    Raises:
        ValueError: a value that stands for no class.
    """
    if not 1 <= value <= 254:
        raise ValueError(f"A class has a label value from 1 to 254, not {value}.")
    turn, place = divmod(value - 1, len(PALETTE))
    share = _FURTHEST * _between((turn + 1) // 2)
    end = 0 if turn % 2 else 255
    red, green, blue = (round((1 - share) * part + share * end) for part in PALETTE[place])
    return red, green, blue


def class_colours(names: Sequence[str]) -> dict[str, Colour]:
    """The colour of each class by its name; the names are in the order of the label values 1, 2, ..."""
    return {name: class_colour(value) for value, name in enumerate(names, 1)}


def _between(number: int) -> float:
    """0, 1/2, 1/4, 3/4, 1/8, 5/8, ...: each as far as can be from those before (van der Corput)."""
    digits = f"{number:b}"[::-1]
    return sum(int(digit) / 2**place for place, digit in enumerate(digits, 1))
