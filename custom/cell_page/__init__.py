"""The page that a measured cell ends in: one file with the lithium in 3-D, its figures, tables, curves and pictures."""
