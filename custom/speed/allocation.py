"""Memory that is freed is kept for the next tensor."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of malloc.h
LARGEST = 20 * 2**20  # bytes; a layer's output has up to 16 MiB: 8 windows of 128 x 128, 32 channels, float32
KEPT = 2**30  # bytes of free memory at the top of the heap


def keep_freed_memory(one_heap: bool = False) -> bool:
    """Let glibc keep freed memory for the next tensor, and tell whether it does; elsewhere nothing happens.

    By default it gives the tens of megabytes of every layer's output back to the system and takes them anew in the next
    call, zeroed page by page: a sixth of the time of TransforCNN in float32 on two CPU cores. What is larger than any
    layer's output, such as the grey values of a slab, still goes back at once.

    Args:
        one_heap: whether all threads share one heap. What they leave free in heaps of their own adds up to half of a
            segmentation's memory; a training, whose backward pass runs in a thread of its own, loses a quarter of its
            speed by it.
    """
    settings = {M_MMAP_THRESHOLD: LARGEST, M_TRIM_THRESHOLD: KEPT} | ({M_ARENA_MAX: 1} if one_heap else {})
    taken = [_call("mallopt", name, value) for name, value in settings.items()]
    return all(taken)


def share_one_heap() -> bool:
    """Let glibc serve all threads from one heap, and tell whether it does; elsewhere nothing happens.

    What threads leave free in heaps of their own is lost to all others: a twelfth of a measuring's memory, and no time is
    won by it. Before any thread is started.
    """
    return bool(_call("mallopt", M_ARENA_MAX, 1))


def release_freed_memory() -> bool:
    """Give what glibc keeps back to the system, and tell whether there was any; elsewhere nothing happens.

    Now and then, so that a long run's memory does not grow: the gaps between what is in use else do.
    """
    return bool(_call("malloc_trim", 0))


def _call(name: str, *args: int) -> int:
    """What a function of the C library returns; 0 where there is none of that name."""
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return 0
    found: int = function(*args)
    return found
