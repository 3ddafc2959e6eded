"""A picture of text as a PNG with a palette: less than half the size of what a browser writes, and nobody sees it."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLORS = 256
Color = tuple[int, int, int]


def with_palette(png: bytes) -> bytes:
    """Return the picture in its 256 most frequent colours; each other one, on the edge of a letter, becomes a near one.

    It must be what a browser writes of an opaque page: RGB of 8 bits, not interlaced.
    """
    chunks = dict[bytes, bytes]()
    for kind, data in _chunks(png):
        chunks[kind] = chunks.get(kind, b"") + data
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 2, 0, 0, 0], f"not such a picture: {rest}"
    rows = [list(zip(row[::3], row[1::3], row[2::3], strict=True)) for row in _rows(chunks[b"IDAT"], width * 3)]
    counted = Counter(color for row in rows for color in row)
    palette = [color for color, _ in counted.most_common(COLORS)]
    places = {color: _nearest(color, palette) for color in counted}
    pixels = b"".join(b"\0" + bytes(places[color] for color in row) for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    written = [
        (b"IHDR", header),
        (b"PLTE", bytes(sum(palette, ()))),
        (b"IDAT", zlib.compress(pixels, 9)),
        (b"IEND", b""),
    ]
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in written
    )


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += size + 12


def _rows(packed: bytes, size: int) -> Iterator[bytearray]:
    """Unpack the rows, each of which is filtered in one of five ways, by the pixel before it and the row above."""
    raw = zlib.decompress(packed)
    above = bytearray(size)
    for start in range(0, len(raw), size + 1):
        row = raw[start + 1 : start + 1 + size]
        above = _unfiltered(raw[start], row, above) if raw[start] else bytearray(row)
        yield above


def _unfiltered(how: int, row: bytes, above: bytearray) -> bytearray:
    predict = _PREDICTORS[how]
    done = bytearray(3)  # and three more at the beginning, which are black and stand for what is outside
    corner = bytearray(3) + above
    for x, value in enumerate(row):
        done.append((value + predict(done[x], above[x], corner[x])) & 255)
    return done[3:]


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
    if a <= b and a <= c:
        return left
    return above if b <= c else corner


_PREDICTORS: dict[int, Callable[[int, int, int], int]] = {
    1: lambda left, _above, _corner: left,
    2: lambda _left, above, _corner: above,
    3: lambda left, above, _corner: (left + above) // 2,
    4: _paeth,
}


def _nearest(color: Color, palette: list[Color]) -> int:
    return min(
        range(len(palette)), key=lambda place: sum((a - b) ** 2 for a, b in zip(color, palette[place], strict=True))
    )
