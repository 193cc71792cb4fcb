"""What there is to say of a stack that is taken all the same."""

import logging
from functools import cache

logger = logging.getLogger("stack")


@cache
def warn_once(sentence: str) -> None:
    """Log a warning, once in a process although stacks are opened again and again."""
    logger.warning(sentence)


@cache
def tell_once(sentence: str) -> None:
    """Log what was recognised and is no fault, once in a process."""
    logger.info(sentence)
