"""What belongs to this installation alone: secrets that never leave its database."""

import secrets

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.store.tables import instance

_SECRET_BYTES = 32


def secret(connection: sa.Connection, key: str) -> bytes:
    """The secret of that name, made at first use; all processes see the same one."""
    connection.execute(
        insert(instance).values(key=key, value=secrets.token_bytes(_SECRET_BYTES)).on_conflict_do_nothing()
    )
    return bytes(connection.execute(sa.select(instance.c.value).where(instance.c.key == key)).scalar_one())
