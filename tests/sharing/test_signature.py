"""A signed bundle says who packed it; what was changed since is refused, with the file named."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import packs
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from custom.base.errors import BadInput
from custom.sharing import check_bundle
from custom.sharing.archive import write_sums, write_zip
from custom.sharing.signature import SIGNATURE, sign

pytestmark = pytest.mark.slow


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    private = generate_private_key(SECP256R1())
    texts = (
        private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )
    paths = folder / f"{name}.pem", folder / f"{name}_public.pem"
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text)
    return paths


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return key_pair(tmp_path_factory.mktemp("keys"), "own")


@pytest.fixture(scope="module")
def signed(packed: Path, keys: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    inside = packs.unpacked(packed, folder)
    sign(inside, keys[0])
    write_zip(inside, folder / "signed.zip")
    shutil.rmtree(inside)
    return folder / "signed.zip"


def told(path: Path, key: Path | None) -> list[str]:
    lines: list[str] = []
    check_bundle(path, say=lines.append, key=key)
    return lines


def refused(path: Path, key: Path) -> str:
    with pytest.raises(BadInput) as found:
        told(path, key)
    sentence = str(found.value)
    assert "\n" not in sentence and "; " in sentence
    return sentence


def test_it_says_whose_it_is(signed: Path, packed: Path, keys: tuple[Path, Path]) -> None:
    assert f"signed with the key of {keys[1]}." in told(signed, keys[1])
    assert "signed; give --key with the public key of who packed it" in told(signed, None)
    assert "not signed." in told(packed, None)


def test_another_key_and_none(signed: Path, packed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    _, other = key_pair(tmp_path, "other")
    assert f"was not signed with the key of {other}, or was changed since" in refused(signed, other)
    assert "is not signed; leave --key away, or ask its sender for a signed one" in refused(packed, keys[1])
    assert "there is no such file; give --key a key in PEM" in refused(signed, tmp_path / "none.pem")
    (tmp_path / "text.pem").write_text("no key")
    assert f"was not signed with the key of {tmp_path / 'text.pem'}" in refused(signed, tmp_path / "text.pem")


def test_one_byte_changed_and_the_sums_made_anew(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """What SHA256SUMS alone cannot tell; without that, it tells."""

    def change(folder: Path) -> None:
        page = folder / "docs/README.md"
        page.write_bytes(page.read_bytes()[:-1] + b"!")
        signature = (folder / SIGNATURE).read_bytes()
        (folder / SIGNATURE).unlink()
        write_sums(folder)
        (folder / SIGNATURE).write_bytes(signature)

    inside = packs.unpacked(signed, tmp_path)
    change(inside)
    write_zip(inside, tmp_path / "changed.zip")
    assert told(tmp_path / "changed.zip", None)  # nothing speaks against it
    sentence = refused(tmp_path / "changed.zip", keys[1])
    assert "was changed since" in sentence and "docs/README.md" in sentence
    content = bytearray(signed.read_bytes())
    place = content.index((inside / "LICENSE").read_bytes()[:50])
    content[place] ^= 1
    (tmp_path / "flipped.zip").write_bytes(content)
    assert "LICENSE" in refused(tmp_path / "flipped.zip", keys[1])


def test_a_key_that_is_none_and_a_package_that_is_missing(
    keys: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.pem").write_text("no key")
    with pytest.raises(BadInput, match=r"text.pem: is no private key to sign with .*; make one with openssl"):
        sign(tmp_path, tmp_path / "text.pem")
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(
        BadInput, match="signatures need the package model-signing, .*; pip install model-signing pyOpenSSL"
    ):
        sign(tmp_path, keys[0])
