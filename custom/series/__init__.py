"""A series: scans of one cell over its cycling, registered to the first, and what its lithium did between them."""
