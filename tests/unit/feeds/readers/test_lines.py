import gzip
import random

import pytest
import zstandard

from reconcile.feeds.limits import DEFAULT_LIMITS, Limits
from reconcile.feeds.readers.lines import packing, read_lines
from reconcile.feeds.refusal import Refused

LINES = [f"ligne {number} é" for number in range(20_000)]
TEXT = "\n".join(LINES).encode()


def lines(path, content, *, encoding="utf-8", limits=DEFAULT_LIMITS):
    path.write_bytes(content)
    return list(read_lines(path, encoding, limits))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", TEXT),
        ("a.csv", TEXT + b"\n"),
        ("a.csv", TEXT.replace(b"\n", b"\r\n")),
        ("a.csv", b"\xef\xbb\xbf" + TEXT),
        ("a.csv.gz", gzip.compress(TEXT)),
        ("a.csv.gz", gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:])),
        ("a.csv.zst", zstandard.compress(TEXT)),
        ("a.csv.zst", zstandard.compress(TEXT[:999]) + zstandard.compress(TEXT[999:])),
    ],
)
def test_lines_are_the_same_however_they_are_packed_and_ended(tmp_path, name, content):
    assert lines(tmp_path / name, content) == list(enumerate(LINES, start=1))


def test_another_encoding_can_be_configured(tmp_path):
    assert lines(tmp_path / "a", "é;€\n".encode("cp1252"), encoding="cp1252") == [(1, "é;€")]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_file_that_is_cut_anywhere_is_never_taken_for_whole(tmp_path, pack):
    content = pack(TEXT)
    name = "a.gz" if pack is gzip.compress else "a.zst"
    for cut in [0, 1, 2, len(content) - 1, *random.Random(1).sample(range(len(content)), 40)]:
        with pytest.raises(Refused):
            lines(tmp_path / name, content[:cut])


def test_what_is_wrong_is_named_with_its_line(tmp_path):
    with pytest.raises(Refused, match=r"^row 2: holds a NUL byte at position 3$"):
        lines(tmp_path / "a", b"one\ntw\0o\n")
    with pytest.raises(Refused, match=r"^row 3: is not utf-8 text from its byte 2 on$"):
        lines(tmp_path / "a", b"one\ntwo\nt\xe9\n")
    with pytest.raises(Refused, match=r"^row 2: a line is longer than 5 bytes$"):
        lines(tmp_path / "a", b"one\ntwotwo\n", limits=Limits(row_bytes=5))


def test_a_line_without_end_is_not_read_to_its_end(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * (3 << 20))
    reader = read_lines(tmp_path / "a", "utf-8", Limits(row_bytes=1_000))
    with pytest.raises(Refused, match="longer than 1000 bytes"):
        next(reader)


def test_the_ending_of_a_name_says_how_it_is_packed():
    assert [packing(name) for name in ("a.csv", "a.csv.gz", "a.b/c.JSONL.ZST", "gz")] == ["", ".gz", ".zst", ""]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_of_two_bytes_a_character_is_read_whole(tmp_path, encoding):
    assert [text for _, text in lines(tmp_path / "a.csv", TEXT.decode().encode(encoding), encoding=encoding)] == LINES
    packed = gzip.compress(TEXT.decode().encode(encoding))
    assert len(lines(tmp_path / "a.csv.gz", packed, encoding=encoding)) == len(LINES)


def test_text_of_two_bytes_a_character_that_breaks_off_in_one_is_refused(tmp_path):
    with pytest.raises(Refused, match="is not utf-16 text"):
        lines(tmp_path / "a.csv", "reçu".encode("utf-16")[:-1], encoding="utf-16")
