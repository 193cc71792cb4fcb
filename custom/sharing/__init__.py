"""A bundle as one file: packed, and checked before anything in it is run."""

from custom.sharing.checking import check_bundle
from custom.sharing.packing import Statements, pack_bundle
from custom.sharing.program import try_program
from custom.sharing.selftest import selftest

__all__ = ["Statements", "check_bundle", "pack_bundle", "selftest", "try_program"]
