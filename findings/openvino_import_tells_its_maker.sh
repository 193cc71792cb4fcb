#!/usr/bin/env bash
# openvino 2026.4.1 with openvino-telemetry 2025.2.0, which pip installs with it: `import openvino` alone asks nothing, leaves an
# identifier and a counter in ~/intel, and hands an event of its import to a process that sends it. Where the package
# openvino_telemetry cannot be imported, a stand-in of OpenVINO's takes its place, and nothing is left or sent.
# Environments that look like continuous integration (CI set) are spared.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 openvino-telemetry==2025.2.0
cd "$folder"
left() { # how many files an import leaves in an empty home
    local home; home=$(mktemp -d -p "$folder")
    env -i HOME="$home" PATH="$PATH" "$folder/venv/bin/python" -c "$1" > "$home.log" 2>&1
    { find "$home/intel" -type f 2> /dev/null || true; } | wc -l
}
plain=$(left "import openvino")
spared=$(left "import sys; sys.modules['openvino_telemetry'] = None; import openvino")
echo "files in ~/intel after import openvino: $plain; without openvino_telemetry: $spared"
[[ "$plain" -ge 1 && "$spared" -eq 0 ]]
