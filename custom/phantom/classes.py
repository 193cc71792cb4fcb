"""The five classes of a cell's phases, as label values."""

import numpy as np
from numpy.typing import NDArray

from custom.phantom.layers import DENDRITE, ELECTRODE, IMPURITY, PIT, REDEPOSITED

# in the order of their label values 1 to 5; what lies outside of the cell and the polymer are background
CLASSES = {"electrode": ELECTRODE, "pit": PIT, "dendrite": DENDRITE, "redeposited": REDEPOSITED, "impurity": IMPURITY}
LITHIUM = (DENDRITE, REDEPOSITED)  # what a label of lithium alone holds


def class_map(phases: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Label values, 0 for background, of a phase map of any shape."""
    values = np.zeros(256, np.uint8)
    for value, phase in enumerate(CLASSES.values(), 1):
        values[phase] = value
    found: NDArray[np.uint8] = values[phases]
    return found


def lithium_map(phases: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 where a phase map of any shape holds dendrite or redeposited lithium, else 0."""
    return np.isin(phases, LITHIUM).astype(np.uint8)
