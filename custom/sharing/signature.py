"""The signature of a bundle, by a key of one's own: who packed it, where SHA256SUMS says that nothing is damaged.

Format: the OpenSSF model signing specification, by the package model-signing, whose key mode needs no network.
"""

from __future__ import annotations

import base64
import json
import re
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

from custom.base.digest import sha256_of
from custom.base.errors import BadInput
from custom.sharing.archive import files_below

SIGNATURE = "model.sig"
_MAKE = "openssl ecparam -name prime256v1 -genkey -noout -out key.pem; openssl ec -in key.pem -pubout -out public.pem"


def sign(folder: Path, key: Path) -> None:
    """Sign all files of a folder, into `model.sig` in it.

    Args:
        key: an EC private key, PEM without a password.

    Raises:
        BadInput: model-signing is not installed, or the key is none.
    """
    tools = _library(key)
    _there(key, "--sign")
    try:
        config = tools.signing.Config().set_hashing_config(_hashing(tools, folder))
        config.use_elliptic_key_signer(private_key=key).sign(folder, folder / SIGNATURE)
    except Exception as error:  # whatever a parser of keys says
        raise BadInput(f"{key}: is no private key to sign with ({_said(error)}); make one with {_MAKE}") from error


def check_signature(path: Path, name: str, key: Path | None) -> str:
    """What the signature of a bundle, which was found right in form and sums, says.

    Args:
        path: the zip.
        name: of its folder.
        key: the public key of who should have signed it; None: nothing is compared.

    Returns:
        one line.

    Raises:
        BadInput: it is not signed, or by another key, or something was changed since.
    """
    if key is not None:
        _there(key, "--key")
    with zipfile.ZipFile(path) as archive:
        signed = f"{name}/{SIGNATURE}" in archive.namelist()
        if key is None:
            return "signed; give --key with the public key of who packed it" if signed else "not signed."
        if not signed:
            raise BadInput(f"{path}: is not signed; leave --key away, or ask its sender for a signed one")
        tools = _library(key)
        with tempfile.TemporaryDirectory(prefix="signature_") as aside:
            archive.extractall(aside)
            folder = Path(aside) / name
            try:
                config = tools.verifying.Config().set_hashing_config(_hashing(tools, folder))
                config.use_elliptic_key_verifier(public_key=key).verify(folder, folder / SIGNATURE)
            except Exception as error:  # whatever a parser of foreign bytes says
                what = _changed(folder) or _said(error)
                raise BadInput(
                    f"{path}: was not signed with the key of {key}, or was changed since ({what}); do not use this file"
                ) from error
    return f"signed with the key of {key}."


def _changed(folder: Path) -> str | None:
    """Which files are others than the signature says, for a sentence: nothing is believed for it."""
    try:
        payload = json.loads((folder / SIGNATURE).read_bytes())["dsseEnvelope"]["payload"]
        resources = json.loads(base64.b64decode(payload))["predicate"]["resources"]
        known = {str(one["name"]): str(one["digest"]) for one in resources}
    except (LookupError, TypeError, ValueError):
        return None
    there = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files_below(folder)}
    other = sorted(name for name in {*known, *there} - {SIGNATURE} if known.get(name) != there.get(name))
    more = f" and {len(other) - 3} more" if len(other) > 3 else ""
    return f"{', '.join(other[:3])}{more} differ from what was signed" if other else None


def _hashing(tools: Any, folder: Path) -> Any:
    """All files but the signature itself."""
    return tools.hashing.Config().set_ignored_paths(paths=[folder / SIGNATURE], ignore_git_paths=False)


def _library(key: Path) -> ModuleType:
    try:
        import model_signing
    except ImportError as error:
        raise BadInput(
            f"{key}: signatures need the package model-signing, which is not installed ({_said(error)}); pip install "
            "model-signing pyOpenSSL"
        ) from error
    return model_signing


def _there(key: Path, option: str) -> None:
    if not key.is_file():
        raise BadInput(f"{key}: there is no such file; give {option} a key in PEM, made with {_MAKE}")


def _said(error: Exception) -> str:
    """The first words of an error, without the folder that was unpacked aside."""
    words = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"\S*signature_\w+/", "", words)[:200]
