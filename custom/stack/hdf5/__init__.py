"""HDF5 (.h5, .hdf5, .hdf, .nxs): finding the dataset of a volume, and whether all of it is there."""

from custom.stack.format import Format
from custom.stack.hdf5.family import members
from custom.stack.hdf5.only_array import only_array
from custom.stack.hdf5.opening import open_hdf5

FORMAT = Format("HDF5", (".h5", ".hdf5", ".hdf", ".nxs"), open_hdf5, keyed=True, parts=members, only_array=only_array)

__all__ = ["FORMAT"]
