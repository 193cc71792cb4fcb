"""Pack the bundle as one file, e.g. `python scripts/pack_bundle.py --output runs/my_bundle.zip`."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from custom.running.interruption import install

    install()  # before what takes seconds to import

from custom.base.errors import BadInput
from custom.base.readable import readable_streams
from custom.command_line.options import GivenPath
from custom.command_line.placement import check_place
from custom.command_line.table import Switch
from custom.sharing import Statements, pack_bundle
from custom.weights import sha256


def main() -> int:
    readable_streams()
    parser = argparse.ArgumentParser(description="Pack the bundle as one zip that other labs unpack and run.")
    parser.add_argument("--output", action=GivenPath, required=True, help="the zip to write")
    parser.add_argument(
        "--weights", action=GivenPath, help="model.pt of a training, its model.json beside it; or the shipped"
    )
    parser.add_argument("--name", help="name of the folder and the Python package; by default the zip's name")
    parser.add_argument(
        "--network", action=GivenPath, help="network_*.json of the weights, where it is none of the bundle's"
    )
    parser.add_argument("--version", help="version of the bundle; by default made from the weights' SHA-256")
    parser.add_argument("--trained_on", help="what the weights were trained on; by default the data set's folder name")
    parser.add_argument("--authors", help="who trained the weights")
    parser.add_argument(
        "--bioimageio", default="false", help="true: a model of bioimage.io too (rdf.yaml, ONNX, test tensors)"
    )
    parser.add_argument("--sign", action=GivenPath, help="an EC private key, PEM, that the bundle is signed with")
    given = parser.parse_args()
    statements = Statements(given.version, given.trained_on, given.authors)
    try:
        check_place(given.output)
        described = Switch().check("bioimageio", given.bioimageio)
        packed = pack_bundle(given.output, given.weights, given.name, given.network, statements, described, given.sign)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{packed}: {packed.stat().st_size / 1e6:.1f} MB, SHA-256 {sha256(packed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
