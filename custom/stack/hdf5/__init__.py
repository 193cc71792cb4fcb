"""HDF5 (.h5, .hdf5, .hdf, .nxs): finding the dataset of a volume, and whether all of it is there."""

from custom.stack.hdf5.family import members
from custom.stack.hdf5.opening import open_hdf5

__all__ = ["members", "open_hdf5"]
