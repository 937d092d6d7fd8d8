"""Where each job reads and writes, as URIs that Airflow's assets and OpenLineage understand. No secret is in any of them.

Knows nothing of Airflow, which lives under `dags/` alone, and asks nothing but the configuration.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qs, urlsplit, urlunsplit

from reconcile.config import Configuration, Feed
from reconcile.runtime.dag_options import asset_uri

_PATTERN_CHARACTERS = frozenset("*?[{")
_POSTGRESQL_PORT = 5432


@dataclass(frozen=True, slots=True)
class Lineage:
    """What one job reads and what it writes."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


def lineage_of(configuration: Configuration) -> dict[str, Lineage]:
    """The lineage of each job, by the name of the job."""
    lake = _place(configuration, configuration.lake.path)
    reports = _place(configuration, str(configuration.reports.path))
    feeds = [_feed_place(configuration, feed) for feed in configuration.feeds]
    gateways = [asset_uri(configuration.airflow, f"gateways/{flow}") for flow in configuration.gateways]
    channels = [
        asset_uri(configuration.airflow, f"channels/{name}")
        for name, section in (("sms", configuration.sms), ("email", configuration.email))
        if section is not None
    ]

    def tables(*names: str) -> tuple[str, ...]:
        return tuple(f"{_database(configuration)}/{name}" for name in names)

    published, runs = f"{lake}/published", f"{lake}/runs"
    return {
        "take_feed": Lineage(tuple(dict.fromkeys(feeds)), (published, *tables("batches", "quarantine"))),
        "fold_flow": Lineage(
            (published, *tables("batches")), (runs, *tables("cases", "incidents", "intents", "notices"))
        ),
        "dispatch_flow": Lineage(tables("intents", "cases"), (*gateways, *tables("attempts"))),
        "send_notices": Lineage(tables("notices", "directory"), (*channels, *tables("notices"))),
        "write_report": Lineage((published, runs, *tables("cases", "statements")), (reports,)),
        "housekeep": Lineage((published, runs), (published, runs)),
    }


def _feed_place(configuration: Configuration, feed: Feed) -> str:
    """The folder in which a feed's deliveries appear; a database has a name of ours, since its SELECT may read any table."""
    if feed.reader == "sql":
        return asset_uri(configuration.airflow, f"feeds/{feed.name}")
    parts = PurePosixPath(feed.location.partition("://")[2] or feed.location).parts
    fixed = next((number for number, part in enumerate(parts) if _PATTERN_CHARACTERS & set(part)), len(parts))
    folder = str(PurePosixPath(*parts[:fixed])) if fixed else "."
    scheme, separator, _ = feed.location.partition("://")
    return _place(configuration, f"{scheme}://{folder}" if separator else folder)


def _place(configuration: Configuration, path: str) -> str:
    """A folder or an fsspec URL as a URI without user, password or options."""
    if "://" not in path:
        return f"file://{configuration.path(path)}"
    parts = urlsplit(path)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def _database(configuration: Configuration) -> str:
    """`postgres://host:port/database/schema`, as Airflow's PostgreSQL provider writes it; a socket is this machine's."""
    store = configuration.store
    if store.url == "embedded":
        return f"postgres://localhost:{_POSTGRESQL_PORT}/reconcile/{store.db_schema}"
    parts = urlsplit(store.url)
    host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
    host = "localhost" if host.startswith("/") else host
    return f"postgres://{host}:{parts.port or _POSTGRESQL_PORT}{parts.path}/{store.db_schema}"
