#!/usr/bin/env bash
# torch 2.13.0: a DataLoader whose workers Python starts by a fork server, as it does by itself on Linux from 3.14 on, cannot be given
# a data set that holds more than some 250 tensors, such as slices kept in memory: each travels as an open file, and the server
# takes no more. It raises ValueError: too many fds. Forked workers (multiprocessing_context="fork") take any number.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$folder"
cat > try.py <<'PYTHON'
import torch
from torch.utils.data import DataLoader

if __name__ == "__main__":
    for how in ("fork", "forkserver"):
        for count in (200, 300):
            kept = [torch.zeros(8, 8) for _ in range(count)]
            try:
                batches = list(DataLoader(kept, batch_size=10, num_workers=1, multiprocessing_context=how))
                found = f"{sum(map(len, batches))} tensors came"
            except ValueError as error:
                found = f"ValueError: {error}"
            print(f"{how}, {count} tensors: {found}", flush=True)
            refused = how == "forkserver" and count == 300
            assert found == ("ValueError: too many fds" if refused else f"{count} tensors came"), found
PYTHON
"$folder/venv/bin/python" try.py
