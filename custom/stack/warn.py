"""Warnings about a stack that is taken all the same."""

import logging
from functools import lru_cache

logger = logging.getLogger("stack")


@lru_cache(maxsize=None)
def warn_once(sentence: str) -> None:
    """Log a warning, once in a process although stacks are opened again and again."""
    logger.warning(sentence)
