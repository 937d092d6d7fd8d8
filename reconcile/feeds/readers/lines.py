"""Bytes to lines of text: unpacked and decoded on the way, never more than a few hundred kilobytes in memory."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from reconcile.config.values import WIDE_ENCODINGS
from reconcile.feeds.limits import Limits
from reconcile.feeds.refusal import Refused

_READ_BYTES: Final = 1 << 18
PACKINGS: Final = {".gz": "gzip", ".zst": "zstd"}


def packing(name: str) -> str:
    """The ending that says how a file is packed: `.gz`, `.zst` or nothing."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in PACKINGS else ""


def read_lines(path: Path, encoding: str, limits: Limits) -> Iterator[tuple[int, str]]:
    """(number from 1, text without its line end) of each line; raises `Refused` at the first that cannot be read."""
    chunks = _unpacked(path, limits)
    if encoding.lower().replace("_", "-") in WIDE_ENCODINGS:
        chunks, encoding = _recoded(chunks, encoding), "utf-8"
    # A byte order mark is no part of the first column's name.
    decoder = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    number, rest = 0, b""
    for chunk in chunks:
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            number += 1
            yield number, _text(line, number, decoder if number == 1 else encoding, limits)
        if len(rest) > limits.row_bytes:
            raise Refused(f"a line is longer than {limits.row_bytes} bytes", row=number + 1)
    if rest:
        number += 1
        yield number, _text(rest, number, decoder if number == 1 else encoding, limits)


def _recoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder, read = codecs.getincrementaldecoder(encoding)(), 0
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
            read += len(chunk)
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise Refused(f"is not {encoding} text within {_READ_BYTES} bytes of its byte {read + 1}") from error


def _unpacked(path: Path, limits: Limits) -> Iterator[bytes]:
    size = path.stat().st_size
    codec = PACKINGS.get(packing(path.name))
    if size == 0 and codec:
        raise Refused(f"is empty, which no {codec} file is")
    unpacked = 0
    # A stream of pyarrow, because it notices a file that was cut off, in both formats.
    with _open(path, codec) as stream:
        while chunk := _read(stream, codec):
            unpacked += len(chunk)
            if unpacked > limits.unpacked_bytes:
                raise Refused(f"unpacks to more than {limits.unpacked_bytes} bytes")
            if unpacked > limits.expansion_from_bytes and unpacked > size * limits.expansion:
                raise Refused(f"unpacks to more than {limits.expansion} times its size")
            yield chunk


def _open(path: Path, codec: str | None) -> Any:
    source = pa.OSFile(str(path))
    return pa.CompressedInputStream(source, codec) if codec else source


def _read(stream: Any, codec: str | None) -> bytes:
    try:
        chunk: bytes = stream.read(_READ_BYTES)
    except OSError as error:
        # The operating system numbers its errors; one without a number is about the data.
        if codec is None or error.errno is not None:
            raise
        raise Refused(f"cannot be unpacked as {codec}: {error}") from error
    return chunk


def _text(line: bytes, number: int, encoding: str, limits: Limits) -> str:
    line = line.removesuffix(b"\r")
    if len(line) > limits.row_bytes:
        raise Refused(f"a line is longer than {limits.row_bytes} bytes", row=number)
    if 0 in line:
        raise Refused(f"holds a NUL byte at position {line.index(0) + 1}", row=number)
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused(f"is not {error.encoding} text from its byte {error.start + 1} on", row=number) from error
