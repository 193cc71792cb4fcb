"""The arrays that a file offers, for the refusal of one that it has not."""

from collections.abc import Mapping

_MOST = 12


def listed(arrays: Mapping[str, tuple[int, ...]]) -> str:
    """What there is to choose from, those first that can be a stack; ends a sentence that names what is missing."""
    stacks = {name: shape for name, shape in arrays.items() if len(shape) >= 3} or dict(arrays)
    if not stacks:
        return "there are no arrays of numbers in it, so give another file"
    words = [f"{name} {shape}" for name, shape in stacks.items()]
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return f"name one with --stack_key: {', '.join(words[:_MOST])}{more}"
