"""Files to rows of text, one file per format; whatever the file holds, memory stays bounded."""

from reconcile.feeds.readers.formats import read_rows
from reconcile.feeds.readers.row import RawRow

__all__ = ["RawRow", "read_rows"]
