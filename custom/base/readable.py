"""Names whose bytes are not UTF-8, shown in a way that every terminal, JSON file and picture takes.

Python holds a byte that it cannot decode as a lone surrogate, which no encoding writes.
"""

from __future__ import annotations

import codecs
import io
import os
import shlex
import sys

HANDLER = "readable"  # of errors, for streams and files: `open(..., errors=HANDLER)`


def readable(text: str) -> str:
    r"""The text with the bytes that are no UTF-8 spelt out: ``cell_10\xb5m.tif``; other texts stay as they are."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def quoted(word: str) -> str:
    r"""A word for a shell, quoted as the README has lists of config files; bytes that are no UTF-8 as bash has them, $'\xb5'."""
    if any("\udc80" <= sign <= "\udcff" for sign in word):
        signs = (
            chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in os.fsencode(word)
        )
        return f"$'{''.join(signs)}'"
    plain = "'" in word and not any(sign in word for sign in '"$`\\!')
    return f'"{word}"' if plain else shlex.quote(word)


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = readable(error.object[error.start : error.end])
    return text.encode(error.encoding, "backslashreplace").decode(error.encoding), error.end


codecs.register_error(HANDLER, _spelt_out)


def readable_streams() -> None:
    """From here on, what is printed never fails for a name that the terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)
