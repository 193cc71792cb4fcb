"""The phantom: synthetic cells that are grown, scanned, reconstructed and written as a labelled data set."""

from custom.phantom.cell import make_cell
from custom.phantom.dataset import ensure_dataset, ensure_path, make_dataset

__all__ = ["ensure_dataset", "ensure_path", "make_cell", "make_dataset"]
