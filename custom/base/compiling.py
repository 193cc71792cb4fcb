"""Kernels that numba compiles at their first call, and keeps on disk where there is room for them.

No threads of numba's own, which survive no fork: callers share the work out.
"""

from __future__ import annotations

from typing import Any

import numba


def compiled(function: Any) -> Any:
    """Compile a kernel at its first call, and keep that on disk where there is room for it."""
    how: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
    try:
        return numba.njit(cache=True, **how)(function)
    except RuntimeError:  # neither the code's folder nor the user's own can be written to
        return numba.njit(**how)(function)
