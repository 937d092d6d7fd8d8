"""What belongs to this installation alone: secrets that never leave its database."""

import secrets

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.store.tables import instance

_SECRET_BYTES = 32


def secret(connection: sa.Connection, key: str) -> bytes:
    """The secret of that name, made at first use; all processes see the same one."""
    query = sa.select(instance.c.value).where(instance.c.key == key)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        made = insert(instance).values(key=key, value=secrets.token_bytes(_SECRET_BYTES))
        connection.execute(made.on_conflict_do_nothing())
        found = connection.execute(query).scalar_one()
    return bytes(found)
