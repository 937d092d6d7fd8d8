from sqlalchemy import Column, Table, Text

from reconcile.store.tables.base import Instant, metadata

retired_files = Table(
    "retired_files",
    metadata,
    Column("path", Text, primary_key=True, comment="a file or a folder that no row names any more"),
    Column("retired_at", Instant, nullable=False, comment="machine time"),
    comment="what leaves the lake once nobody can be reading it any more",
)

holds = Table(
    "holds",
    metadata,
    Column("account", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", Instant, nullable=False),
    comment="legal holds: nothing of these accounts is erased, and no file is removed for its age",
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("account_hash", Text, primary_key=True, comment="keyed: the number itself is not kept"),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
    comment="who is never told anything, whatever a directory feed says",
)
