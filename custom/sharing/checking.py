"""A bundle from somebody else, judged before anything in it is run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.sharing.execution import Step, parsed, steps
from custom.sharing.inspection import Members, opened
from custom.sharing.layout import here
from custom.sharing.metadata import check_metadata
from custom.sharing.record import classes_of, stated_classes
from custom.sharing.signature import check_signature
from custom.sharing.staging import config_text, python_texts
from custom.sharing.trust import known_expression, known_target
from custom.sharing.versions import check_versions
from custom.sharing.weight_files import check_fit, check_same, tensors
from custom.weights import sha256

READ_IT = "read it, and give --trusted true if you trust who wrote it"
Say = Callable[[str], None]


def check_bundle(path: Path, trusted: bool = False, say: Say = print, key: Path | None = None) -> str:
    """Judge a packed bundle without running anything of it; only where a signature is compared is it unpacked, aside.

    Args:
        path: the zip.
        trusted: whether Python and config parts that are neither this project's nor MONAI's, torch's or ignite's are
            told and not refused.
        say: takes what is found, line by line.
        key: the public key of who should have signed it.

    Returns:
        the name of its folder and package.

    Raises:
        BadInput: the first fault.
    """
    with opened(path) as members:
        say(f"{path}: SHA-256 {sha256(path)}; compare it with what its sender tells you by another way.")
        say(f"{len(members.sums)} files, all as its SHA256SUMS says:")
        for relative, digest in members.sums.items():
            say(f"  {digest}  {relative}")
        say(check_signature(path, members.name, key))
        meta = check_metadata(path, parsed(path, "metadata.json", members.read("configs/metadata.json")))
        say("installed: " + ", ".join(check_versions(path, meta)))
        configs = _configs(path, members)
        classes = _classes(path, members, meta)
        say(f"finds: {', '.join(classes)}")
        state = tensors(path, "models/model.pt", members.read("models/model.pt"))
        check_same(path, state, tensors(path, "models/model.safetensors", members.read("models/model.safetensors")))
        for relative in sorted(members.sums):
            further = relative.startswith("models/") and not relative.startswith("models/model.")
            if further and relative.endswith((".pt", ".safetensors")):
                tensors(path, relative, members.read(relative))
        ours = _check_python(path, members, trusted, say) and _check_execution(path, members, configs, trusted, say)
        if ours:
            check_fit(path, members.name, configs["inference.json"], state, classes)
            say("models/model.pt fits the network of inference.json.")
        else:
            say("whether models/model.pt fits its network is not checked: that would run what is marked.")
        return members.name


def _configs(path: Path, members: Members) -> dict[str, dict[str, Any]]:
    names = [relative.partition("/")[2] for relative in members.sums if relative.startswith("configs/")]
    return {name: parsed(path, name, members.read(f"configs/{name}")) for name in names if name.endswith(".json")}


def _classes(path: Path, members: Members, meta: Mapping[str, Any]) -> tuple[str, ...]:
    """What the weights find by their record, which metadata.json must not call otherwise: clients take the names from there."""
    record = parsed(path, "model.json", members.read("models/model.json"))
    try:
        classes = classes_of(record)
    except BadInput as error:
        raise BadInput(f"{path}: models/model.json names no classes ({error}); ask for a mended bundle") from error
    if "classes" in record and stated_classes(meta) != classes:
        raise BadInput(
            f"{path}: metadata.json calls its classes {list(stated_classes(meta))}, and models/model.json {list(classes)}; "
            "ask for a mended bundle"
        )
    return classes


def _check_python(path: Path, members: Members, trusted: bool, say: Say) -> bool:
    """Whether the Python is this installation's, file by file; logging.conf counts, for Python evaluates parts of it."""
    source = here()
    texts = python_texts(source, members.name)
    wanted = {relative: hashlib.sha256(text.encode()).hexdigest() for relative, text in texts.items()}
    wanted["configs/logging.conf"] = str(sha256(source.bundle / "configs/logging.conf"))
    code = {
        relative
        for relative in members.sums
        if relative.endswith((".py", ".conf")) or relative.startswith(f"{members.name}/")
    }
    other = sorted(relative for relative in code | set(wanted) if members.sums.get(relative) != wanted.get(relative))
    for relative in other:
        say(f"  !! {relative}: is not this installation's")
    if other and not trusted:
        raise BadInput(f"{path}: {other[0]} is not this installation's Python; {READ_IT}")
    if not other:
        say(f"its {len(code)} files of Python are this installation's.")
    return not other


def _check_execution(path: Path, members: Members, configs: dict[str, Any], trusted: bool, say: Say) -> bool:
    """List what the configs would execute; whether all of it is known."""
    expressions = own_expressions(members.name)
    foreign: list[Step] = []
    say("running its configs executes:")
    for step in (step for config, content in configs.items() for step in steps(config, content)):
        known = is_known(step, members.name, expressions)
        say(f"  {'  ' if known else '!!'} {step.config} {step.key or '(top)'} {step.kind} {step.what}")
        if not known:
            foreign.append(step)
    if foreign and not trusted:
        first = foreign[0]
        raise BadInput(
            f"{path}: {first.config} {first.kind} {first.what!r:.120} at {first.key or 'its top'}, which is not of MONAI, "
            f"torch, ignite or the bundle; {READ_IT}"
        )
    return not foreign


def is_known(step: Step, name: str, expressions: frozenset[str]) -> bool:
    """Whether a step is of MONAI, torch, ignite or the bundle `name`."""
    if step.kind == "calls":
        own = here().name
        if step.what.startswith(f"{name}."):
            return known_target(own + step.what[len(name) :])
        return not step.what.startswith(f"{own}.") and known_target(step.what)
    return step.kind == "evaluates" and known_expression(step.what, expressions)


def own_expressions(name: str) -> frozenset[str]:
    """The `$` expressions of this installation's configs, as they stand in a bundle of that name."""
    source = here()
    texts = {path: config_text(source, path, name, {}) for path in source.configs()}
    return frozenset(
        step.what
        for path, text in texts.items()
        for step in steps(path.name, parsed(path, path.name, text.encode()))
        if step.kind == "evaluates"
    )
