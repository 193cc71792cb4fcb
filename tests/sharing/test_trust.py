"""What counts as MONAI's, torch's, ignite's or the project's own, and what does not."""

from __future__ import annotations

import pytest

from custom.sharing.checking import own_expressions
from custom.sharing.execution import Step, steps
from custom.sharing.trust import known_expression, known_target

OWN = own_expressions("tiny")


@pytest.mark.parametrize(
    "target",
    [
        *("Compose", "BasicUNet", "DataLoader", "monai.networks.nets.UNet", "monai.transforms.Compose", "@budget"),
        *("torch.nn.Conv2d", "torch.optim.AdamW", "torch.nn.parallel.DistributedDataParallel"),
        *("ignite.handlers.EarlyStopping", "custom.networks.YNet", "custom.stack.open_stack"),
    ],
)
def test_known_targets(target: str) -> None:
    assert known_target(target)


@pytest.mark.parametrize(
    "target",
    [
        *("os.system", "subprocess.run", "builtins.eval", "eval", "NoSuchTransform", "custom.networks.NoSuchNet"),
        *("torch.os.system", "torch.load", "torch.hub.load", "torch.utils.collect_env.run", "torch.nn.NoSuch"),
        *("monai.utils.run_cmd", "monai.bundle.run", "monai.apps.download_url", "monai.data.utils.os.system"),
        *("monai.data.utils.pickle.loads", "custom.command_line.edge.os.system", "custom.base.files.os", "torch.nn"),
        *("torch.nn.Module.__init_subclass__", "sklearn.svm.SVC", "", "."),
    ],
)
def test_unknown_targets(target: str) -> None:
    assert not known_target(target)


@pytest.mark.parametrize(
    "expression",
    [
        *("$@a + 1", "$max(1, @a#b // @c::d)", "$[@x, 2.0]", "$None if @x == 'a' else {'k': (1, 2)}", "$@x[0]"),
        *("$import math", "$import torch", "$torch.nn.Conv2d(1, 1, 3)", "$torch.device('cpu')", "$-@x ** 2"),
        "$@segmentation.run(@evaluator)",  # the project's own, word for word
    ],
)
def test_known_expressions(expression: str) -> None:
    assert known_expression(expression, OWN)


@pytest.mark.parametrize(
    "expression",
    [
        *("$import subprocess", "$import math as torch", "$from os import system", "$import os, subprocess"),
        *("$os.system('true')", "$__import__('os').system('true')", "$eval('1')", "$open('x', 'w')", "$exec('1')"),
        *("$torch.os.system('true')", "$torch.hub.load('a', 'b')", "$torch.load('a')", "$monai.bundle.run()"),
        *("$@x.path.write_text('a')", "$(lambda: 1)()", "$[x for x in @y]", "$type(@x).__subclasses__()"),
        *("$''.__class__", "$@x.__init__.__globals__", "$getattr(@x, 'y')", "$f'{@x}'", "$1 +", "$", "$(x := 1)"),
        *(
            "$@segmentation.run(@evaluator) or @x.y()",
            "$torch",
            "$@f(1)(2)",
            "$max(1, *os.listdir('/'))",
            "$[torch.load][0]",
        ),
    ],
)
def test_unknown_expressions(expression: str) -> None:
    assert not known_expression(expression, OWN)


def test_every_string_that_monai_would_evaluate_is_found() -> None:
    config = {
        "a": [1, {"_target_": "A", "b": "$1", "_requires_": ["$2"]}],
        "_target_": "$3",
        "c": "%x.json::y",
        "d": "e$",
    }
    assert list(steps("f.json", config)) == [
        Step("f.json", "a#1", "calls", "A"),
        Step("f.json", "a#1#b", "evaluates", "$1"),
        Step("f.json", "a#1#_requires_#0", "evaluates", "$2"),
        Step("f.json", "_target_", "evaluates", "$3"),
        Step("f.json", "c", "reads", "%x.json::y"),
    ]
