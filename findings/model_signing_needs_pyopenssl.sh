#!/usr/bin/env bash
# model-signing 1.1.1 with sigstore 4.5.1: installed by pip into an empty environment, it cannot be imported, since it imports OpenSSL
# (pyOpenSSL), which it does not ask for and which this sigstore brings no more. With pip install pyOpenSSL it can.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check model-signing==1.1.1 sigstore==4.5.1
said=$("$folder/venv/bin/python" -c "import model_signing" 2>&1 | tail -1 || true)
echo "without pyOpenSSL: $said"
[[ "$said" == "ModuleNotFoundError: No module named 'OpenSSL'" ]]
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyOpenSSL==26.4.0
"$folder/venv/bin/python" -c "import model_signing; print('with pyOpenSSL: imported, version', model_signing.__version__)"
