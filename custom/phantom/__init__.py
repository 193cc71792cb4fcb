"""The phantom: synthetic cells that are grown, scanned, reconstructed and written as a labelled data set; raw_* as a raw scan."""

from custom.phantom.cell import make_cell
from custom.phantom.dataset import ensure_dataset, ensure_path, make_dataset
from custom.phantom.raw_dataset import ensure_raw_phantom, make_raw_phantom

__all__ = ["ensure_dataset", "ensure_path", "ensure_raw_phantom", "make_cell", "make_dataset", "make_raw_phantom"]
