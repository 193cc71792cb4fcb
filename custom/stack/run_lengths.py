"""Bytes in runs, as Amira packs labels: HxByteRLE."""

from __future__ import annotations


class RunLengths:
    """Unpacks a stream of runs: a byte n < 128 means that the next one follows n times, else that n - 128 bytes follow as they are.

    Args:
        total: bytes of the unpacked stream, at which it ends.
    """

    unused_data = b""

    def __init__(self, total: int) -> None:
        self._left, self._rest = total, b""

    @property
    def eof(self) -> bool:
        """Whether all has been unpacked."""
        return self._left <= 0

    def decompress(self, data: bytes) -> bytes:
        """What the next bytes of the stream unpack to; those of an unfinished run wait for the next call."""
        data, at, parts = self._rest + data, 0, list[bytes]()
        while at + 1 < len(data) and self._left > 0:
            count = data[at]
            literal = count >= 0x80
            count &= 0x7F
            end = at + 1 + (count if literal else 1)
            if end > len(data):
                break
            part = data[at + 1 : end] if literal else data[at + 1 : end] * count
            parts.append(part[: self._left])
            self._left -= len(part)
            at = end
        self._rest = data[at:]
        return b"".join(parts)
