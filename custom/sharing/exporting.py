"""A network in forms that run without this project: torch.export, ONNX and TorchScript, all with a free batch size."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from custom.base.errors import BadInput
from custom.base.files import complete_file

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
BATCHES = (1, 7)  # that each export is compared at: 1 is the size that exporters like to fix
Run = Callable[[Tensor], Tensor]


def export_script(network: nn.Module, example: Tensor, path: Path) -> Run:
    """Write TorchScript and return what runs it.

    Args:
        network: in eval mode, (B, 1, Y, X) -> logits of the same shape.
        example: a batch of more than one patch, of the network's data type.
    """
    torch.jit.script(network).save(str(path))
    return torch.jit.load(str(path))


def export_program(network: nn.Module, example: Tensor, path: Path) -> Run:
    """Write a torch.export archive (.pt2) and return what runs it; arguments as for `export_script`."""
    # newer torch takes the name of `forward`'s argument from a tuple's place
    program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    for graph in program.graph_module.modules():
        for node in graph.graph.nodes if isinstance(graph, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)  # lines of Python on this machine
    torch.export.save(program, str(path))
    return torch.export.load(str(path)).module()


def export_onnx(network: nn.Module, example: Tensor, path: Path) -> Run | None:
    """Write ONNX and return what runs it, None where onnxruntime is not installed; arguments as for `export_script`.

    Raises:
        BadInput: the packages that write ONNX are not installed.
    """
    if find_spec("onnx") is None or find_spec("onnxscript") is None:
        raise BadInput("--formats onnx: needs packages that are not installed; pip install onnx onnxscript")
    batch = torch.export.Dim("batch", min=1)
    program = torch.onnx.export(network, (example,), dynamo=True, dynamic_shapes=({0: batch},), verbose=False)
    assert program is not None
    program.save(str(path))
    _forget_places(path)
    if find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: torch.from_numpy(session.run(None, {name: x.numpy()})[0])


def _forget_places(path: Path) -> None:
    """Rewrite an ONNX file without what its nodes say of the lines of Python, on this machine, that they come from."""
    import onnx

    model = onnx.load(str(path))
    for part in (model.graph, *model.functions):
        for told in (part, *part.node):
            del told.metadata_props[:]
            told.doc_string = ""
    onnx.save(model, str(path))


FORMATS: dict[str, Callable[[nn.Module, Tensor, Path], Run | None]] = {
    "pt2": export_program,
    "onnx": export_onnx,
    "ts": export_script,
}


def export(network: nn.Module, output: Path, side: int, precision: str = "fp32") -> dict[int, float] | None:
    """Export a network in the form that the output's suffix names, and compare it with the network.

    Args:
        network: (B, 1, side, side) -> logits of the same shape, float32; left as it is.
        output: ends in .pt2, .onnx or .ts; appears when it is whole.
        precision: "fp32" or "bf16"; ONNX has fp32 alone, since few runtimes compute in bfloat16 on a CPU.

    Returns:
        the largest difference of a logit by batch size, or None where nothing here can run the export.

    Raises:
        BadInput: ONNX in bf16, or without its packages.
    """
    kind = output.suffix[1:]
    if (kind, precision) == ("onnx", "bf16"):
        raise BadInput(f"{output}: ONNX is exported in fp32 alone; give --precision fp32, or --formats pt2 ts")
    dtype = DTYPES[precision]
    eager = copy.deepcopy(network).to(dtype).eval()
    patches = [patch_batch(size, side).to(dtype) for size in (2, *BATCHES)]
    with tempfile.TemporaryDirectory(prefix="export_") as aside, torch.no_grad(), _quiet():
        written = Path(aside) / f"network{output.suffix}"
        run = FORMATS[kind](eager, patches[0], written)
        found = {len(x): largest_difference(run(x), eager(x)) for x in patches[1:]} if run else None
        with complete_file(output) as part:
            part.write_bytes(written.read_bytes())
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporters tell of their own future, and of packages that nothing here needs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


def patch_batch(size: int, side: int) -> Tensor:
    """Random patches (size, 1, side, side) in [0, 1], the same each time."""
    return torch.rand(size, 1, side, side, generator=torch.Generator().manual_seed(size))


def largest_difference(a: Tensor, b: Tensor) -> float:
    """The largest absolute difference of two tensors, infinite where their shapes differ."""
    return float((a.float() - b.float()).abs().max()) if a.shape == b.shape else float("inf")
