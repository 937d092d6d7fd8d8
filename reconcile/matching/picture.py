"""What the comparison of two files means for customers: the figures of the page that `--report` writes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from reconcile.matching.session import Session

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAX_BARS: Final = 72
"""A chart by the hour becomes one by the day when it would have more bars than this."""
MAX_PRODUCTS: Final = 20


@dataclass(frozen=True, slots=True)
class KindRow:
    """All breaks of one kind in one asset; `owed_minor` is signed."""

    kind: str
    asset: str
    breaks: int
    owed_minor: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour or day: purchases confirmed in it, and how many of them were wronged."""

    start: datetime
    confirmed: int
    wronged: int


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product; None is what the file does not name."""

    product: str | None
    confirmed: int
    wronged: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Durations are None where nobody was wronged. `owed`: (asset, minor units owed to customers, had too much)."""

    confirmations_file: str
    ledger_file: str
    first_at: datetime | None
    last_at: datetime | None
    confirmed: int
    wronged_customers: int
    wronged_purchases: int
    owed: tuple[tuple[str, int, int], ...]
    longest_wait: timedelta | None
    known_after_median: timedelta | None
    known_after_worst: timedelta | None
    kinds: tuple[KindRow, ...]
    bars: tuple[Bar, ...]
    bar_length: timedelta
    products: tuple[ProductRow, ...]


def take(session: Session, confirmations_file: str, ledger_file: str) -> Picture:
    """The figures of a session in which all passes have run."""
    session.set_variable("bar_unit", "VARCHAR", "hour")
    session.run("picture")
    [(first_us, last_us, confirmed)] = session.rows("SELECT first_us, last_us, confirmed FROM span")
    span = timedelta(microseconds=(last_us or 0) - (first_us or 0))
    length = timedelta(hours=1) if span <= MAX_BARS * timedelta(hours=1) else timedelta(days=1)
    session.set_variable("bar_unit", "VARCHAR", "hour" if length == timedelta(hours=1) else "day")
    [(customers, purchases, wait_us, median_us, worst_us)] = session.rows(
        "SELECT count(DISTINCT account), count(*),"
        " max(coalesce(epoch_us(credited_at), CAST($1 AS BIGINT)) - epoch_us(confirmed_at)),"
        " median(epoch_us(decidable_at) - epoch_us(confirmed_at))::BIGINT,"
        " max(epoch_us(decidable_at) - epoch_us(confirmed_at))"
        " FROM wronged",
        [last_us],
    )
    return Picture(
        confirmations_file=confirmations_file,
        ledger_file=ledger_file,
        first_at=_instant(first_us),
        last_at=_instant(last_us),
        confirmed=confirmed,
        wronged_customers=customers,
        wronged_purchases=purchases,
        owed=_owed(session),
        longest_wait=_duration(wait_us),
        known_after_median=_duration(median_us),
        known_after_worst=_duration(worst_us),
        kinds=tuple(
            KindRow(*row)
            for row in session.rows(
                "SELECT kind, asset, count(*), sum(owed_minor)::BIGINT FROM latest GROUP BY ALL ORDER BY count(*) DESC, kind, asset"
            )
        ),
        bars=tuple(
            Bar(_EPOCH + timedelta(microseconds=start_us), confirmed_rows, wronged_rows)
            for start_us, confirmed_rows, wronged_rows in session.rows("SELECT start_us, confirmed, wronged FROM bar")
        ),
        bar_length=length,
        products=tuple(
            ProductRow(*row)
            for row in session.rows("SELECT product, confirmed, wronged FROM product_row LIMIT $1", [MAX_PRODUCTS])
        ),
    )


def _owed(session: Session) -> tuple[tuple[str, int, int], ...]:
    rows = session.rows(
        "SELECT asset, coalesce(sum(owed_minor) FILTER (owed_minor > 0), 0)::BIGINT,"
        " coalesce(-sum(owed_minor) FILTER (owed_minor < 0), 0)::BIGINT FROM latest GROUP BY asset ORDER BY asset"
    )
    return tuple((asset, owed, over) for asset, owed, over in rows)


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def _duration(microseconds: int | None) -> timedelta | None:
    return None if microseconds is None else timedelta(microseconds=microseconds)
