"""Alembic runs inside the transaction that `reconcile.store.migrate` opened; there is no other way to run it."""

from alembic import context

from reconcile.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
