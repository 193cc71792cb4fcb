"""The region of raw stacks, looked for where nobody gives it, with a picture of what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from custom.rectifying.page import write_page
from custom.rectifying.picture import draw_region
from custom.region import Region
from custom.region.finding import NoCell, find_region
from custom.stack import Stack

FOUND, LOOK, PAGE = "region.png", "region_look.png", "region.html"


def found_region(stacks: Sequence[Stack], folder: Path) -> Region:
    """Look for the region.

    Args:
        stacks: the raw fields of view, in any order.
        folder: gets the picture, `FOUND`, or `LOOK` where there is no cell, and the page to move its corners in, `PAGE`.

    Raises:
        BadInput: none is found, or the stacks are no fields of view that join.
    """
    total = sum(stack.shape[0] for stack in stacks)
    with tqdm(total=total, desc="looking", unit="slice", leave=False, delay=2, disable=None) as bar:
        try:
            region, look = find_region(stacks, lambda done, _: bar.update(done - bar.n) and None)
        except NoCell as refused:
            draw_region(refused.look, None, folder / LOOK)
            write_page(refused.look, None, folder / PAGE)
            raise
    draw_region(look, region, folder / FOUND)
    write_page(look, region, folder / PAGE)
    return region
