"""What the scheduler imports before it forks its workers, so that no task has to."""

from importlib import import_module
from importlib.util import find_spec

HEAVY = (
    "altair",
    "babel.dates",
    "babel.numbers",
    "duckdb",
    "great_expectations",
    "httpx",
    "jinja2",
    "pandas",
    "phonenumbers",
    "psycopg2.extras",
    "pyarrow.parquet",
    "reconcile.app",
    "smpplib.client",
    "vl_convert",
    "xlsxwriter",
)


def load() -> list[str]:
    """Import what of `HEAVY` is installed (some of it belongs to extras); the names of what was imported."""
    return [import_module(name).__name__ for name in HEAVY if find_spec(name.partition(".")[0])]
