"""`[[feed]]`: where a source delivers, in which form, and how it is known up to when it is complete."""

from datetime import timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from reconcile.config.database import Snapshot, check_query, check_url
from reconcile.config.sequence import Numbering
from reconcile.config.values import Duration, Encoding, Name, Secret, Section, Zone

CONTROL_SUFFIX: Final = ".ctl"

_SUFFIX: Final = r"^\.[A-Za-z0-9._-]{1,20}$"


class Marker(Section):
    """A delivery is complete when a file of the same name plus `marker` lies beside it; what stands in that does not matter."""

    marker: Annotated[str, Field(pattern=_SUFFIX)]


class ControlFile(Section):
    """A control file beside each data file says up to when nothing is missing. Proven."""

    kind: Literal["control"] = "control"
    suffix: Annotated[str, Field(pattern=_SUFFIX)] = CONTROL_SUFFIX


class Delay(Section):
    """The feed is assumed to be complete up to `delay` ago."""

    kind: Literal["delay"]
    delay: Duration = timedelta(minutes=15)


PROVEN: Final = frozenset({"control", "sequence", "snapshot"})
"""Kinds of completeness that the source itself vouches for."""
Completeness = Annotated[ControlFile | Numbering | Snapshot | Delay, Field(discriminator="kind")]
"""How it is known up to which instant a feed is complete."""

FEED_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "confirmation": {
        "message_id": "id",
        "sender": "sender",
        "recipient": "recipient",
        "text": "text",
        "sent_at": "sent_at",
        "node": "",
        "number": "",
    },
    "ledger": {
        "row_key": "entry_id",
        "kind": "type",
        "account": "account",
        "amount": "amount",
        "asset": "currency",
        "reference": "reference",
        "own_key": "",
        "posted_at": "posted_at",
        "node": "",
        "number": "",
    },
    "payment": {
        "row_key": "payment_id",
        "kind": "type",
        "account": "account",
        "payer": "payer",
        "amount": "amount",
        "asset": "currency",
        "reference": "reference",
        "paid_at": "paid_at",
        "node": "",
        "number": "",
    },
    "directory": {
        "account": "account",
        "language": "language",
        "email": "email",
        "channel": "channel",
        "opted_out": "opted_out",
    },
}
"""What a feed of each side holds, and the name under which a column is looked for unless `columns` says another; "" is a
column that the feed does not have. A column that has a name must be there: a misspelt one would silently be empty.
"""
_INDISPENSABLE: Final[dict[str, frozenset[str]]] = {
    "confirmation": frozenset({"message_id", "recipient", "text", "sent_at"}),
    "ledger": frozenset({"account", "amount", "posted_at"}),
    "payment": frozenset({"row_key", "payer", "amount", "paid_at"}),
    "directory": frozenset({"account"}),
}
_KINDS: Final[dict[str, frozenset[str]]] = {
    "confirmation": frozenset({"purchase", "reversal"}),
    "ledger": frozenset({"purchase", "reversal", "held", "ignored"}),
    "payment": frozenset({"payment", "reversal", "ignored"}),
    "directory": frozenset(),
}
"""What `kinds` may sort the words of a feed into."""


class Feed(Section):
    """One source of confirmations, ledger entries, payments or directory rows."""

    name: Name
    flow: Name
    side: Literal["confirmation", "ledger", "payment", "directory"]
    reader: Literal["csv", "jsonl", "parquet", "sql"]
    location: str
    password: Secret | None = None
    query: str | None = None
    provider: str | None = None
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "CI"
    zone: Zone = "UTC"
    encoding: Encoding = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    header: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    thousands: Literal["", " ", ".", ",", "'"] = ""
    implied_decimals: Annotated[int, Field(ge=0, le=6)] = 0
    time_format: str | tuple[str, ...] | None = None
    ambiguous_times: Literal["refuse", "earlier", "later"] = "refuse"
    senders: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    columns: dict[str, str] = {}
    kinds: dict[Literal["purchase", "payment", "reversal", "held", "ignored"], tuple[str, ...]] = {}
    completeness: Completeness = ControlFile()
    ready: Literal["stable"] | Marker = "stable"
    stable_for: Duration = timedelta(seconds=5)
    stalls_after: Duration = timedelta(minutes=30)
    max_quarantined_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_volume_factor: Annotated[float, Field(gt=1)] = 10
    reaches_back: Duration = timedelta(hours=6)

    @model_validator(mode="after")
    def _columns_fit(self) -> "Feed":
        known = FEED_COLUMNS[self.side]
        for column, name in self.columns.items():
            if column not in known:
                raise ValueError(f"columns.{column}: a {self.side} feed has {', '.join(known)}")
            if not name and column in _INDISPENSABLE[self.side]:
                raise ValueError(f"columns.{column}: a {self.side} feed cannot do without it")
        for kind in self.kinds:
            if kind not in _KINDS[self.side]:
                raise ValueError(
                    f"kinds.{kind}: a {self.side} feed has {', '.join(sorted(_KINDS[self.side])) or 'none'}"
                )
        if self.templates and self.side != "confirmation":
            raise ValueError(f"templates: messages are read by them, and a {self.side} feed has none")
        if self.senders and not self.named_columns.get("sender"):
            raise ValueError("senders: a feed without a column for the sender cannot be limited to some")
        return self

    @model_validator(mode="after")
    def _forms_fit(self) -> "Feed":
        if self.thousands == self.decimal:
            raise ValueError(f"thousands: another mark than decimal (found {self.decimal!r} for both)")
        if self.header and (self.reader != "csv" or len(set(self.header)) < len(self.header)):
            raise ValueError("header: the names of a CSV's columns, each once, where the files have none")
        return self

    @model_validator(mode="after")
    def _reader_fits(self) -> "Feed":
        if self.reader == "sql":
            if self.query is None:
                raise ValueError('query: a feed with reader "sql" wants one')
            check_url(self.location)
            check_query(self.query)
            if self.completeness.kind != "snapshot":
                raise ValueError(
                    'completeness: what reader "sql" reads is complete by { kind = "snapshot", commit_lag = …, overlap = … } '
                    f"(found {self.completeness.kind!r})"
                )
            return self
        for key, value in (("query", self.query), ("password", self.password)):
            if value is not None:
                raise ValueError(f'{key}: only a feed with reader "sql" has one (found reader {self.reader!r})')
        if self.completeness.kind == "snapshot":
            raise ValueError(f'completeness: only reader "sql" reads in a snapshot (found reader {self.reader!r})')
        return self

    @model_validator(mode="after")
    def _deliveries_fit(self) -> "Feed":
        if "://" in self.location and urlsplit(self.location).password is not None:
            raise ValueError("location: holds a password; give it to fsspec by the environment")
        if isinstance(self.ready, Marker) and self.control_suffix is not None:
            raise ValueError(
                "ready: the control file says when a delivery is complete; a marker beside it has no meaning"
            )
        return self

    @model_validator(mode="after")
    def _numbers_fit(self) -> "Feed":
        if not isinstance(self.completeness, Numbering):
            return self
        if self.side == "directory":
            raise ValueError("completeness: a directory is never complete up to a time, so numbers prove nothing of it")
        if self.completeness.numbers == "rows":
            wanted = {"number", "node"} if self.completeness.nodes else {"number"}
            found = wanted & self.named_columns.keys()
            if found != wanted or ("node" in self.named_columns) != bool(self.completeness.nodes):
                raise ValueError(
                    "columns: rows that are numbered have the column number; and node, where nodes are listed"
                )
            if self.senders:
                raise ValueError(
                    "senders: other senders' rows are dropped before they land, and their numbers with them"
                )
        return self

    @property
    def time_rule(self) -> tuple[tuple[str, ...], Literal["refuse", "earlier", "later"]]:
        """(forms of times, ISO 8601 where there are none; which instant a time is that the clocks showed twice)."""
        formats = (self.time_format,) if isinstance(self.time_format, str) else self.time_format or ()
        return formats, self.ambiguous_times

    @property
    def is_keyless(self) -> bool:
        """Whether nothing but what a ledger row says tells it from another: then a second delivery is told by counting."""
        return self.side == "ledger" and "row_key" not in self.named_columns

    @property
    def is_proven(self) -> bool:
        """Whether what the feed does not have can be called missing without a person: complete by its source's word, and each
        of its rows known by a key.
        """
        return self.completeness.kind in PROVEN and not self.is_keyless

    @property
    def file_format(self) -> Literal["csv", "jsonl", "parquet"]:
        """What the files are that are landed: rows from a database are written as JSON lines."""
        return "jsonl" if self.reader == "sql" else self.reader

    @property
    def partner_suffix(self) -> str | None:
        """What the name of the file adds that completes a delivery: its control file or its marker; None without one."""
        return self.ready.marker if isinstance(self.ready, Marker) else self.control_suffix

    @property
    def assumed_lag(self) -> timedelta | None:
        """How far behind now the feed is assumed to be complete; None where its completeness is proven."""
        return self.completeness.delay if isinstance(self.completeness, Delay) else None

    @property
    def control_suffix(self) -> str | None:
        """What the name of a control file adds to that of its data file; None where a delivery is one file alone."""
        match self.completeness:
            case ControlFile(suffix=suffix):
                return suffix
            case Snapshot():
                return CONTROL_SUFFIX  # written beside the rows by what reads them
            case Delay() | Numbering():
                return None

    @property
    def named_columns(self) -> dict[str, str]:
        """Each column that the feed has → the name under which its files hold it."""
        return {column: name for column, name in (FEED_COLUMNS[self.side] | self.columns).items() if name}
