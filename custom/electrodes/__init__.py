"""The two electrodes of a cell: where their surfaces lie, how they were found, and how deep a voxel lies between them."""
