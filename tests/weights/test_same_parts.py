"""A checkpoint of another optimizer is refused; of the same one, the settings that are given count."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from custom.base.errors import BadInput
from custom.weights.same_parts import KINDS, check_parts, kinds, load_optimizer


def optimizer(name: str, **settings: Any) -> torch.optim.Optimizer:
    """One that has made a step of 1 on every weight."""
    weight = torch.nn.Parameter(torch.zeros(3))
    made: torch.optim.Optimizer = getattr(torch.optim, name)([weight], lr=0.1, **settings)
    weight.grad = torch.ones(3)
    made.step()
    return made


@pytest.mark.parametrize("noted", [True, False])
@pytest.mark.parametrize(
    ("before", "after"), [("AdamW", "SGD"), ("SGD", "Adam"), ("RMSprop", "AdamW"), ("NAdam", "SGD")]
)
def test_another_optimizer(before: str, after: str, noted: bool) -> None:
    old, parts = optimizer(before), {"optimizer": optimizer(after)}
    state = {"optimizer": old.state_dict()} | ({KINDS: kinds({"optimizer": old})} if noted else {})
    words = (
        f"c.pt: its optimizer is {before}, and that of the config files {after}; resume"
        if noted
        else "has the settings"
    )
    with pytest.raises(BadInput, match=words):
        check_parts(Path("c.pt"), parts, state)


def test_the_same_optimizer_goes_on() -> None:
    old, new = optimizer("AdamW"), optimizer("AdamW")
    state = {"optimizer": copy.deepcopy(old.state_dict())}
    del state["optimizer"]["param_groups"][0]["decoupled_weight_decay"]  # which an older torch has not
    check_parts(Path("c.pt"), {"optimizer": new}, state)
    check_parts(Path("c.pt"), {"optimizer": new}, {**state, KINDS: {"optimizer": "AdamW"}})


def test_settings_that_are_given_count(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "training")
    old, new = optimizer("AdamW", weight_decay=0.01), optimizer("AdamW", weight_decay=0.5)
    old.param_groups[0]["lr"] = 0.03
    load_optimizer(new, copy.deepcopy(old.state_dict()))
    assert new.param_groups[0]["weight_decay"] == 0.5 and new.param_groups[0]["lr"] == 0.03
    assert caplog.messages == ["The training began with weight_decay 0.01 and goes on with 0.5."]
    (own,), (kept,) = old.state.values(), new.state.values()
    assert torch.equal(own["exp_avg"], kept["exp_avg"])
