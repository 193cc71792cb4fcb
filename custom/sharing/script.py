"""The TorchScript file of a bundle, without what depends on the place, the time and the process of its export."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import torch

# torch takes a class's constants from a set, in another order in every process
_CONSTANTS = re.compile(rb"(?:^  \w+ : Final\[.*\n)+", re.MULTILINE)


def without_traces(path: Path) -> None:
    """Rewrite a TorchScript file without the source paths of its debug information and the time of its export.

    The tensors stay as they are, and the code but for the order in which classes list their constants.
    """
    with tempfile.TemporaryDirectory(prefix="script_") as aside:
        # its records lie below a folder of the file's name, which MONAI Deploy looks for
        again = Path(aside) / path.name
        _rewrite(torch._C.PyTorchFileReader(str(path)), torch._C.PyTorchFileWriter(str(again)))
        path.write_bytes(again.read_bytes())


def _rewrite(reader: torch._C.PyTorchFileReader, writer: torch._C.PyTorchFileWriter) -> None:
    written = {".data/version", "version", "byteorder", ".data/serialization_id"}  # the writer adds its own
    for name in sorted(reader.get_all_records()):
        if name in written or name.endswith(".debug_pkl"):
            continue
        content = reader.get_record(name)
        if name == "extra/metadata.json":
            meta = json.loads(content)
            meta.pop("timestamp", None)
            content = json.dumps(meta, indent=2, sort_keys=True).encode()
        elif name.endswith(".py"):
            content = _CONSTANTS.sub(_in_order, content)
        writer.write_record(name, content, len(content))
    writer.write_end_of_file()


def _in_order(constants: re.Match[bytes]) -> bytes:
    return b"".join(sorted(constants[0].splitlines(keepends=True)))
