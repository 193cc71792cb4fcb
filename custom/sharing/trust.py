"""Which targets and expressions of a config come from MONAI, torch, ignite or the bundle itself.

Rules that list what is forbidden always miss something (torch alone has a dozen ways to start a shell), so these list
what is allowed: parts of the three libraries that build networks and pipelines, and the expressions of this project.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from inspect import isclass, isroutine
from pydoc import ErrorDuringImport, locate

from monai.bundle.config_item import ComponentLocator

from custom.sharing.naming import own_package

_AREAS = (
    *(f"monai.{area}" for area in ("data", "engines", "handlers", "inferers", "losses", "metrics", "networks")),
    *("monai.transforms", "monai.optimizers", "torch.nn", "torch.optim", "torch.utils.data", "torch.utils.tensorboard"),
    *("ignite.engine", "ignite.handlers", "ignite.metrics"),
)
_LIBRARIES = ("monai", "torch", "ignite")
_IMPORTS = {"math", "torch", "monai", "ignite"}
_BUILTINS = {"abs", "bool", "float", "int", "len", "list", "max", "min", "range", "round", "str", "sum", "tuple"}
_VALUES = {"torch.float16", "torch.float32", "torch.bfloat16", "torch.channels_last", "torch.device", "math.pi"}
_NODES = (
    *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.List, ast.Tuple, ast.Dict, ast.Subscript, ast.Slice),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword, ast.Attribute),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_REFERENCE = re.compile(r"@\w*(?:(?:#|::)\w*)*")


def known_target(target: str) -> bool:
    """Whether a `_target_` is a class or function of the three libraries, or of this package, that does exist.

    Args:
        target: a short name of MONAI's, a dotted path, or a reference to another item of the config.
    """
    if target.startswith("@"):
        return True  # what it refers to is an item of the same config, and judged there
    dotted = target if "." in target else full_name(target)
    own = own_package()
    if dotted is None or any(part.startswith("_") for part in dotted.split(".")):
        return False
    if not dotted.startswith((f"{own}.", *(f"{area}." for area in _AREAS))):
        return False
    found = _located(dotted)
    # a path may lead out of its library, as torch.nn.modules.math.os would
    home = str(getattr(found, "__module__", "")).partition(".")[0]
    return (isclass(found) or isroutine(found)) and home in (own, *_LIBRARIES)


def _located(dotted: str) -> object:
    try:
        return locate(dotted)
    except ErrorDuringImport:
        return None


@cache
def _locator() -> ComponentLocator:
    return ComponentLocator()


def full_name(short: str) -> str | None:
    """The dotted path that MONAI takes for a short name; None where it knows none."""
    module = _locator().get_component_module_name(short)
    return f"{module[0] if isinstance(module, list) else module}.{short}" if module else None


def known_expression(expression: str, own: frozenset[str]) -> bool:
    """Whether a `$` expression is one of the project's own, or reckons with nothing but numbers, references and targets.

    Args:
        expression: as it is written, the dollar sign included.
        own: the expressions of the project's published configs.
    """
    if expression in own:
        return True
    text = _REFERENCE.sub("_reference", expression[1:]).strip()
    if imported := re.fullmatch(r"import (\w+)", text):
        return imported[1] in _IMPORTS
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    paths = set(_paths(tree))
    return all(isinstance(node, _NODES) for node in ast.walk(tree)) and all(
        path in _BUILTINS or path in _VALUES or path == "_reference" or ("." in path and known_target(path))
        for path in paths
    )


def _paths(node: ast.AST) -> list[str]:
    """The longest dotted paths in an expression; an attribute of anything but a plain name gives one that none knows."""
    if isinstance(node, ast.Attribute):
        base = _paths(node.value) if isinstance(node.value, (ast.Attribute, ast.Name)) else ["?"]
        return [f"{base[0]}.{node.attr}"]
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Call) and not isinstance(node.func, (ast.Attribute, ast.Name)):
        return ["?"]
    return [path for child in ast.iter_child_nodes(node) for path in _paths(child)]
