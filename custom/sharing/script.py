"""The TorchScript file of a bundle, without what depends on the place, the time and the process of its export."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import torch

# torch takes a class's constants from a set, in another order in every process
_CONSTANTS = re.compile(rb"(?:^  \w+ : Final\[.*\n)+", re.MULTILINE)


def without_traces(path: Path) -> None:
    """Rewrite a TorchScript file without the source paths of its debug information and the time of its export.

    The tensors stay as they are, and the code but for the order in which classes list their constants.
    """
    reader = torch._C.PyTorchFileReader(str(path))
    found = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(found)
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
    path.write_bytes(found.getvalue())


def _in_order(constants: re.Match[bytes]) -> bytes:
    return b"".join(sorted(constants[0].splitlines(keepends=True)))
