"""Several stacks that one command segments one after the other, and the table of what was found in them."""

from custom.several.run import Several

__all__ = ["Several"]
