"""Connected pieces of a mask, slab by slab: which there are, what is measured of each, and when they join two electrodes."""
