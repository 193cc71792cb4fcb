"""What HDF5 reads and decodes as a whole."""

import h5py

from custom.stack.axes import Axes
from custom.stack.grain import Grain, grain_of_block, grain_of_chunks


def grain_of_dataset(dataset: h5py.Dataset, axes: Axes) -> Grain | None:
    """The grain of a dataset with a volume at `axes`; None for a virtual one, whose chunks lie in its sources."""
    if dataset.is_virtual:
        return None
    if dataset.chunks is None:
        return grain_of_block(axes, dataset.dtype.itemsize)
    return grain_of_chunks(axes, dataset.chunks)
