"""--compile: the same logits, or a sentence that says what is missing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from custom.base.errors import BadInput
from custom.speed import compile_network


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU()).eval()


def test_left_alone_where_it_is_not_wanted() -> None:
    given = network()
    assert compile_network(given, (2, 1, 16, 16), "fp32", wanted=False) is given
    assert given._compiled_call_impl is None


@pytest.mark.slow
def test_the_compiled_network_finds_the_same() -> None:
    windows = torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        expected = network()(windows)
        compiled = compile_network(network(), (2, 1, 16, 16), "fp32", wanted=True)
        assert compiled._compiled_call_impl is not None
        torch.testing.assert_close(compiled(windows), expected)


def test_what_is_missing_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(*_: object, **__: object) -> None:
        raise RuntimeError("No working C++ compiler found\nand much more")

    given = network()
    monkeypatch.setattr(given, "compile", lambda **_: monkeypatch.setattr(given, "_compiled_call_impl", no_compiler))
    with pytest.raises(BadInput, match=r"--compile true: .*No working C\+\+ compiler found\); install .*g\+\+") as told:
        compile_network(given, (2, 1, 16, 16), "fp32", wanted=True)
    assert "\n" not in str(told.value)
