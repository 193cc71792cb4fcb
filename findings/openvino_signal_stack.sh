#!/usr/bin/env bash
# openvino 2026.4.1: compiling for the CPU replaces the alternate signal stack of the thread that does it (sigaltstack(2)), where
# Python's faulthandler may have put one and on which all of Python's signal handlers run; each Core brings one of its own and takes
# it away at its end. A process that made and dropped several Cores was ended by SIGSEGV at a later SIGCHLD: keep one Core.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1
"$folder/venv/bin/python" - <<'PYTHON'
import ctypes, faulthandler, sys

sys.modules["openvino_telemetry"] = None
import numpy as np
import openvino


class Stack(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def stack():
    found = Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
    return found.start, found.size


def compiled():
    given = openvino.opset13.parameter([1, 4], np.float32)
    core = openvino.Core()
    return core, core.compile_model(openvino.Model([openvino.opset13.relu(given)], [given], "relu"), "CPU")


faulthandler.enable()
stacks = [stack()]
kept = []
for _ in range(2):
    kept.append(compiled())
    stacks.append(stack())
print("bytes of the signal stack: faulthandler's %d, after one Core %d, after two %d" % tuple(size for _, size in stacks))
assert len({start for start, _ in stacks}) == 3
while kept:
    kept.pop()  # the newest first, which is well
assert stack() == stacks[0]
PYTHON
