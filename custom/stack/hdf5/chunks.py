"""What HDF5 reads and decodes as a whole."""

import h5py

from custom.stack.axes import Axes
from custom.stack.grain import Grain, grain_of_block, grain_of_chunks, grain_of_layers
from custom.stack.hdf5.coverage import Coverage


def grain_of_dataset(dataset: h5py.Dataset, axes: Axes, coverage: Coverage) -> Grain:
    """The grain of a dataset with a volume at `axes`; that of a virtual one is its sources', which `coverage` knows."""
    if dataset.is_virtual:
        return grain_of_layers(axes, coverage.starts)
    if dataset.chunks is None:
        return grain_of_block(axes, dataset.dtype.itemsize)
    return grain_of_chunks(axes, dataset.chunks)
