"""How large a delivery may be. Beyond a limit it is refused, whatever it may hold."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one delivery. `expansion` is unpacked bytes for each packed byte; it counts once a file is past
    `expansion_from_bytes`, because small files of equal rows pack very well. `read_…` is what is read of a database at a time: more rows are read in
    several deliveries, and what takes longer is given up.
    """

    file_bytes: int = 2 * 2**30
    unpacked_bytes: int = 16 * 2**30
    expansion: int = 200
    expansion_from_bytes: int = 16 * 2**20
    row_bytes: int = 64 * 2**10
    columns: int = 200
    rows: int = 20_000_000
    quarantined_rows: int = 50_000
    control_bytes: int = 64 * 2**10
    read_rows: int = 500_000
    read_bytes: int = 2**30
    read_seconds: float = 600


DEFAULT_LIMITS: Final = Limits()

CHUNK_ROWS: Final = 20_000
"""Rows that are read, normalised and examined at a time: what bounds memory."""
DELIVERIES_PER_RUN: Final = 2_000
"""Deliveries taken in one run of a feed; the rest waits for the next."""
READS_PER_RUN: Final = 16
"""Deliveries that are read from a database in one run of a feed; the rest waits for the next."""
