"""The names of files that can be stacks; `opening` has a reader for each."""

TIFF = (".tif", ".tiff", ".btf", ".tf8", ".tf2")
OTHERS = (
    *(".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".npy", ".h5", ".hdf5", ".hdf", ".nxs"),
    *(".zarr", ".zarr.zip", ".ozx"),
)
