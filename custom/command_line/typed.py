"""The words of a command line as they were typed, where fire and MONAI would make something else of a path.

fire reads words as Python: it cuts a bare `Li#3` at the `#`, takes `2026_01` for a number, and of `None` the key's
default is left. MONAI reads `@`, `%` and `$` at the beginning as its own language.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from custom.base.errors import BadInput

SEVERAL = (
    "weights",
    "stack",
    "unlabelled",
)  # keys that take a list of paths: members of an ensemble, fields of view, stacks
_QUOTED = re.compile(r"\[\s*['\"]")  # how a list of stacks begins; one stack may be called `[a]` or `a,b`
_REFERENCE = re.compile(r"@\w*(?:(?:::|#)\w*)*")


@dataclass
class Words:
    """A command line taken apart.

    Attributes:
        values: for each key, `#` as `::`, what was typed for it each time it was given; None where nothing was.
        alone: the words that belong to no key.
    """

    values: dict[str, list[str | None]] = field(default_factory=dict)
    alone: list[str] = field(default_factory=list)

    def last(self, key: str) -> str | None:
        """What counts of a key."""
        return self.values[key][-1] if key in self.values else None


def taken_apart(arguments: Sequence[str]) -> Words:
    """`--key value`, `--key=value` and a bare `--key`, told apart as fire does."""
    found = Words()
    following = iter(range(len(arguments)))
    for i in following:
        word = arguments[i]
        if not _is_key(word):
            found.alone.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        typed: str | None = value if equals else None
        if not equals and i + 1 < len(arguments) and not _is_key(arguments[i + 1]):
            typed = arguments[next(following)]
        found.values.setdefault(name.replace("-", "_").replace("#", "::"), []).append(typed)
    return found


def _is_key(word: str) -> bool:
    return re.match("--|-[a-zA-Z]", word) is not None


def typed_path(key: str, words: Words, known: Container[Any], optional: bool = False) -> str | list[str] | None:
    """The path, or the list of paths, that was typed for `key`.

    Args:
        key: a key that `words` holds.
        words: the command line.
        known: the config's keys.
        optional: whether the key may be left without a path, which `None` says.

    Returns:
        the path as it was typed, relative ones too; None where MONAI's reading counts: an expression, or `None`.

    Raises:
        BadInput: no value, an empty one, several, or one that could be read in two ways; the cure is a leading `./`.
    """
    word = _one_word(key, words)
    if word == "None" and optional:
        return None
    if word == "None" and not os.path.lexists(word):
        raise BadInput(f"--{key} None: is Python's word for no value; give the path, as ./None if that is its name")
    if (name := reference("@" + word[1:])) is not None and word[0] in "@%" and name in known:
        raise BadInput(f"--{key} {word}: stands for the config's key {word[1:]}; give the path as ./{word}")
    several = None if os.path.lexists(word) else listed(word)
    if several is not None and key in SEVERAL and (key != "stack" or _QUOTED.match(word)):
        return several if all(map(is_path_text, several)) else None
    return None if _is_expression(word) else _unquoted(key, word)


def typed_text(key: str, words: Words) -> str | None:
    """As `typed_path`, for a text that names no file: quotes around it are no part of it, as fire has it."""
    word = _one_word(key, words)
    if word == "None" or not is_path_text(word) or word.startswith("%"):
        return None
    inner = _inner(word)
    return word if inner is None else inner


def is_path_text(text: str) -> bool:
    """Whether a text of a config is a path as it stands, neither MONAI's reference nor an expression."""
    return not text.startswith("$") and reference(text) is None


def reference(text: str) -> str | None:
    """The key that MONAI puts in place of such a text; a name that only begins like that stays."""
    return re.split("::|#", text[1:])[0] if _REFERENCE.fullmatch(text) else None


def _one_word(key: str, words: Words) -> str:
    given = list(dict.fromkeys(words.values[key]))
    word = given[-1]
    if word is None:
        raise BadInput(f"--{key}: has no value; give one after it, or leave --{key} away")
    if len(given) > 1:
        raise BadInput(f"--{key}: is given more than once ({', '.join(map(str, given))}); give it once")
    if not word.strip():
        raise BadInput(
            f"--{key} {word!r}: is empty, as a script's variable without a value leaves it; give a value after it"
        )
    return word


def _is_expression(word: str) -> bool:
    """Whether the word is Python that can give a path, which takes a quoted text or a reference: `$HOME` is a name."""
    if not word.startswith("$") or not set(word) & set("@'\""):
        return False
    try:
        ast.parse(_REFERENCE.sub("_", word[1:]), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _unquoted(key: str, word: str) -> str:
    """A word in quotes of its own, which fire takes away, is taken with them where there is something of that name."""
    inner = _inner(word)
    if inner is None or os.path.lexists(word):
        return word
    if not os.path.lexists(inner):
        raise BadInput(
            f"--{key} {word}: stands in quotes; give the path as {inner} or, with them in its name, ./{word}"
        )
    return inner


def _inner(word: str) -> str | None:
    """What stands in quotes; None where the word does not, as a whole."""
    if word[0] not in "'\"" or word[-1] != word[0]:
        return None
    try:
        inner = ast.literal_eval(word)
    except (SyntaxError, ValueError):
        return None
    return inner if isinstance(inner, str) else None


def listed(word: str) -> list[str] | None:
    """The elements of `['a','b']` or `[a,b]` as they were typed; None where the word is no list.

    Quoted elements may hold every character; of bare ones, Python's words and numbers keep their spelling.
    """
    try:
        tree = ast.parse(word, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(tree, (ast.List, ast.Tuple)) or ast.get_source_segment(word, tree) != word:
        return None
    return [
        element.value
        if isinstance(element, ast.Constant) and isinstance(element.value, str)
        else str(ast.get_source_segment(word, element))
        for element in tree.elts
    ]
