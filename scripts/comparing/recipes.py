"""The recipes that an accuracy bench is asked for: config files by a name, or methods that are known."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from comparing.methods import METHODS
from comparing.ours import ROOT, bundle_recipe, config
from comparing.task import Method
from custom.base.digest import sha256_of
from custom.base.errors import BadInput
from custom.study.plan import check_path

logger = logging.getLogger("accuracy")


@dataclass(frozen=True)
class Recipe:
    """A way to train.

    Attributes:
        name: of its folder and its rows.
        run: how it trains and predicts.
        files: SHA-256 of its config files, by which a change is seen; only what has some tells several classes apart.
    """

    name: str
    run: Method = field(compare=False)
    files: dict[str, str] = field(default_factory=dict)


def recipes_of(words: Sequence[str]) -> list[Recipe]:
    """The recipes of `NAME=FILE,FILE,...`, stacked in this order after train.json, or of names in `METHODS`.

    A method whose package is missing is left out, with a word.

    Raises:
        BadInput: a name that is none, is unknown or given twice; a file that is not there; nothing left to compare.
    """
    found: dict[str, Recipe] = {}
    for word in words:
        name, given, files = word.partition("=")
        if name in found:
            raise BadInput(f"--recipes {word}: {name} is given twice; give each recipe a name of its own")
        if given:
            found[name] = _of_files(name, files)
        elif name not in METHODS:
            raise BadInput(
                f"--recipes {word}: is no known method ({', '.join(METHODS)}); write NAME=overlay.json for config files"
            )
        elif METHODS[name].missing:
            logger.warning("%s is left out: %s is not installed (pip install '.[peers]').", name, METHODS[name].package)
        else:
            found[name] = Recipe(name, METHODS[name].run, _digests(METHODS[name].configs))
    if not found:
        raise BadInput(f"--recipes {' '.join(words)}: none of them can be run here; give another one, such as unet")
    return list(found.values())


def _of_files(name: str, words: str) -> Recipe:
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise BadInput(f"--recipes {name}={words}: {name!r} is no name; use letters, digits, - and _")
    paths = [Path(word).absolute() for word in words.split(",") if word]
    for path in paths:
        if not path.is_file():
            raise BadInput(
                f"--recipes {name}={words}: there is no file {path}; give the paths of config files, by commas"
            )
        check_path(path)
    train = config("train")
    stacked = (
        [str(path) for path in paths] if paths and paths[0].name == Path(train).name else [train, *map(str, paths)]
    )
    return Recipe(name, bundle_recipe(stacked), _digests(stacked))


def _digests(configs: Sequence[str]) -> dict[str, str]:
    return {path: sha256_of(ROOT / path) for path in configs}


def check_classes(recipes: Sequence[Recipe], dataset: str, classes: Sequence[str]) -> None:
    """Refuse to compare what looks for one class alone on several.

    Raises:
        BadInput: such a recipe is asked for.
    """
    others = [recipe.name for recipe in recipes if not recipe.files]
    if len(classes) > 1 and others:
        raise BadInput(
            f"--recipes {' '.join(others)}: look for one class alone, and {dataset} has several; leave them away, or take the "
            "classes together with label_map in --keys"
        )
