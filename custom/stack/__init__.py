"""The only code that touches stacks on disk: open lazily, cut into slabs, find the grey window."""

from custom.stack.edge_fill import EdgeFill
from custom.stack.formats import only_array
from custom.stack.identity import fingerprint
from custom.stack.kept_grey import given_back, left_over
from custom.stack.labels import BACKGROUND, LABEL_VALUES, UNLABELLED, LabelStack, as_labels
from custom.stack.opening import open_stack, takes_key
from custom.stack.place import Place
from custom.stack.same_grid import ON_THE_GRID, on_grid_of
from custom.stack.scratch import SCRATCH, remove_scratch
from custom.stack.slabs import Slab, slabs
from custom.stack.source import LABEL, Source, source
from custom.stack.stack import Stack
from custom.stack.surround import outside, unseen_surround
from custom.stack.units import to_um
from custom.stack.warn import tell_once, warn_once
from custom.stack.window import GreyWindow, Scaling, grey_range, grey_window, grey_window_of

__all__ = [
    "BACKGROUND",
    "UNLABELLED",
    "SCRATCH",
    "LABEL",
    "ON_THE_GRID",
    "LABEL_VALUES",
    "GreyWindow",
    "LabelStack",
    "Place",
    "EdgeFill",
    "Scaling",
    "Slab",
    "Source",
    "Stack",
    "as_labels",
    "fingerprint",
    "given_back",
    "grey_range",
    "grey_window",
    "grey_window_of",
    "left_over",
    "on_grid_of",
    "only_array",
    "open_stack",
    "outside",
    "remove_scratch",
    "slabs",
    "source",
    "takes_key",
    "tell_once",
    "to_um",
    "unseen_surround",
    "warn_once",
]
