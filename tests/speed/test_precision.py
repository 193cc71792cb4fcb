"""Arithmetic that devices gain from."""

from __future__ import annotations

import pytest
import torch

from custom.base.errors import BadInput
from custom.speed.precision import autocast, gains_from_bf16


def product(precision: str) -> torch.dtype:
    with autocast("cpu", precision):
        return (torch.ones(4, 4) @ torch.ones(4, 4)).dtype


def test_asked_for() -> None:
    assert product("bf16") == torch.bfloat16
    assert product("fp32") == torch.float32


@pytest.mark.parametrize(("amx", "avx512"), [(True, True), (True, False), (False, True), (False, False)])
def test_auto_follows_the_device(monkeypatch: pytest.MonkeyPatch, amx: bool, avx512: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    gains = amx or avx512
    assert gains_from_bf16("cpu") is gains
    assert product("auto") == (torch.bfloat16 if gains else torch.float32)


def test_unknown() -> None:
    with pytest.raises(BadInput, match="--precision fp16: is unknown; give one of auto, fp32, bf16"):
        autocast("cpu", "fp16")
