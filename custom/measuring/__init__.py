"""Measuring what lithium does in a cell, from a finished mask: the parts of the measure command, one quantity a file."""
