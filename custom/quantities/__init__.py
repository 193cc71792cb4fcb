"""What is measured of a segmented stack: one quantity a file, each added up slab by slab."""
