"""The named queries of `sql/reports/`: each says at its top what goes in, what comes out, and why it is right."""

from typing import Any

import sqlalchemy as sa

from reconcile import resources


def rows_of(connection: sa.Connection, name: str, **values: Any) -> list[sa.Row[Any]]:
    """All rows of `sql/reports/<name>.sql` for these values."""
    return list(connection.execute(sa.text(resources.text(f"sql/reports/{name}.sql")), values))
