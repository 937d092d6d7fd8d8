"""What the copy in the lake holds of a file with other people's messages, in whatever form the file comes."""

import pytest

from reconcile.feeds.limits import DEFAULT_LIMITS
from reconcile.feeds.readers import read_rows
from reconcile.feeds.withholding import copy_listed

ROWS = [
    "M1;MaxIt;+2250707123456;achat;2024-07-09",
    "M2;Bank;+2250707123456;code 9871;2024-07-09",
    "M3;MaxIt;+225;reçu;2024",
]
HEADER = ["id", "sender", "recipient", "text", "sent_at"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("header", [HEADER, []], ids=["no header line", "a header line"])
def test_rows_of_other_senders_are_left_out_and_all_keep_their_numbers(configured, tmp_path, encoding, header):
    feed = configured(
        side="confirmation", encoding=encoding, delimiter=";", senders=["MaxIt"], header=header
    ).feeds[0]  # fmt: skip
    lines = ROWS if header else [";".join(HEADER), *ROWS]
    (tmp_path / "a.csv").write_bytes("\n".join(lines).encode(encoding))
    copy_listed(tmp_path / "a.csv", tmp_path / "copy.csv", feed, DEFAULT_LIMITS)
    assert "9871" not in (tmp_path / "copy.csv").read_bytes().decode(encoding)
    read = [list(read_rows(tmp_path / name, feed, DEFAULT_LIMITS)) for name in ("a.csv", "copy.csv")]
    assert [row.number for row in read[0]] == [row.number for row in read[1]]
    assert [row.cells["text"] for row in read[1]] == ["achat", None, "reçu"]
