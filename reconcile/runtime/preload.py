"""What a part of Airflow imports before it forks, so that its children need not."""

from importlib import import_module
from importlib.util import find_spec

PARSING = ("reconcile.config", "reconcile.runtime.dag_options")
JOBS = ("reconcile.app",)
HEAVY = (
    "altair",
    "babel.dates",
    "babel.numbers",
    "duckdb",
    "fsspec.implementations.local",
    "great_expectations",
    "httpx",
    "jinja2",
    "pandas",
    "phonenumbers",
    "psycopg2.extras",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "smpplib.client",
    "vl_convert",
    "xlsxwriter",
)


WANTED = {"scheduler": JOBS + HEAVY, "dag-processor": PARSING}


def load_for(program: str) -> list[str]:
    """Import what the children of `airflow <program>` need, where it is installed; the names of what was imported."""
    return [import_module(name).__name__ for name in WANTED.get(program, ()) if find_spec(name.partition(".")[0])]
