#!/usr/bin/env bash
# pytorch-ignite 0.5.5 (torch 2.13.0): where the first score is NaN, Checkpoint(n_saved=1) keeps that model for ever.
# Seen: scores nan, 0.5, 0.9; kept is the one of nan.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 pytorch-ignite==0.5.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, DiskSaver

scores = iter([float("nan"), 0.5, 0.9])
engine = Engine(lambda engine, batch: None)
keep = Checkpoint({"model": torch.nn.Linear(1, 1)}, DiskSaver("kept", create_dir=True), n_saved=1,
                  score_function=lambda engine: next(scores), score_name="dice")
engine.add_event_handler(Events.EPOCH_COMPLETED, keep)
engine.run([0], max_epochs=3)
kept = str(keep.last_checkpoint)
print(kept)
assert "nan" in kept
PYTHON
