"""Check a packed bundle before anything in it is run, e.g. `python scripts/check_bundle.py my_bundle.zip`."""

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
from custom.command_line.table import Switch
from custom.sharing import check_bundle, selftest, try_program


def main() -> int:
    readable_streams()
    parser = argparse.ArgumentParser(
        description="Check a packed bundle and list what its configs would execute. Nothing of it is run; exit "
        "code 0: nothing was found, 2: refused, in one sentence."
    )
    parser.add_argument("file", action=GivenPath, help="the zip")
    parser.add_argument(
        "--selftest",
        default="false",
        help="true: then unpack it aside and segment its own slice; program: run its models/model.pt2 without MONAI",
    )
    parser.add_argument("--trusted", default="false", help="true: tell of foreign Python and config parts, go on")
    parser.add_argument("--key", action=GivenPath, help="public key, PEM, of who should have signed it")
    given = parser.parse_args()
    try:
        trusted = Switch().check("trusted", given.trusted)
        by_program = given.selftest == "program"
        if by_program and not trusted:
            raise BadInput(
                "--selftest program: torch evaluates what stands in models/model.pt2; give --trusted true too if you trust "
                "who made it, or --selftest true"
            )
        tested = by_program or Switch().check("selftest", given.selftest)
        name = check_bundle(given.file, trusted, key=given.key)
        if tested:
            print((try_program if by_program else selftest)(given.file, name))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{given.file}: nothing speaks against it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
