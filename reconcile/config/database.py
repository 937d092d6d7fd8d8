"""A feed that is read from a database: what its address and its query may be, and how it is known to be complete."""

import re
from datetime import timedelta
from typing import Final, Literal

import sqlalchemy as sa
from pydantic import model_validator

from reconcile.config.values import Duration, Section

DIALECTS: Final = frozenset({"postgresql", "sqlite", "mysql", "mariadb", "oracle", "mssql"})
"""The databases whose own clock can be asked; a feed is not complete by a clock that is not known."""
_BOUNDS: Final = frozenset({"since", "until"})
_SECRET_OPTIONS: Final = frozenset({"password", "passwd", "pwd", "sslpassword", "passfile"})
_UNSPOKEN: Final = re.compile(
    r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`      # texts, and names in quotes
    | \$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$       # PostgreSQL's dollar quotes
    | --[^\n]* | /\*.*?\*/                         # comments
    """,
    re.VERBOSE | re.DOTALL,
)
_BIND: Final = re.compile(r"(?<![:\w\\]):(\w+)(?![:\w])")
"""A bind parameter, as SQLAlchemy finds them."""


class Snapshot(Section):
    """Rows are read in one snapshot, from `overlap` before the watermark on; complete up to `commit_lag` before the database's
    clock, and no further than its oldest open transaction where that can be seen. Proven.
    """

    kind: Literal["snapshot"]
    commit_lag: Duration = timedelta(seconds=30)
    overlap: Duration = timedelta(minutes=10)

    @model_validator(mode="after")
    def _lags_fit(self) -> "Snapshot":
        if not self.commit_lag:
            raise ValueError("commit_lag: at least one second, since a row is stamped before it is committed")
        if self.overlap < self.commit_lag:
            raise ValueError(f"overlap: at least the commit_lag of {self.commit_lag} (found {self.overlap})")
        return self


def check_url(location: str) -> None:
    """Raises `ValueError` for what is no SQLAlchemy URL, is of a database that is not known, or holds a password."""
    try:
        url = sa.make_url(location)
    except sa.exc.ArgumentError as error:
        raise ValueError('location: a SQLAlchemy URL such as "postgresql+psycopg2://reader@host/database"') from error
    if url.password is not None or _SECRET_OPTIONS & {option.lower() for option in url.query}:
        raise ValueError("location: holds a password; name its place in password = { env = … } instead")
    name = url.get_backend_name()
    if name not in DIALECTS:
        raise ValueError(f"location: a database of {', '.join(sorted(DIALECTS))} (found {name!r})")


def check_query(query: str) -> None:
    """Raises `ValueError` for what is not one SELECT between `:since` and `:until`."""
    spoken = _UNSPOKEN.sub(" ", query).strip().removesuffix(";").strip()
    if ";" in spoken:
        raise ValueError("query: one statement alone (found a second one after ';')")
    first = re.match(r"[\s(]*(\w+)", spoken)
    if first is None or first[1].upper() not in {"SELECT", "WITH"}:
        raise ValueError(f"query: a SELECT (found one that begins with {first[1] if first else spoken[:20]!r})")
    bounds = set(_BIND.findall(query))
    for unknown in sorted(bounds - _BOUNDS):
        raise ValueError(
            f"query: knows the parameters :since and :until alone (found :{unknown}; a plain colon is \\:)"
        )
    for missing in sorted(_BOUNDS - set(_BIND.findall(spoken))):
        raise ValueError(
            f"query: wants :{missing}, as in WHERE posted_at >= :since AND posted_at < :until (found no :{missing})"
        )
