"""The TorchScript file of a bundle, without what depends on the place and time of its export."""

from __future__ import annotations

import io
import json
from pathlib import Path

import torch


def without_traces(path: Path) -> None:
    """Rewrite a TorchScript file without the source paths of its debug information and the time of its export.

    The code and the tensors stay as they are.
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
        writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    path.write_bytes(found.getvalue())
