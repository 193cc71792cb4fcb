"""Labelling in rounds: the slices of a stack to draw on next, and what was drawn there brought back as a labelled set."""
