from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Table, Text

from reconcile.store.tables.base import Instant, metadata

users = Table(
    "users",
    metadata,
    Column("username", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False, comment="argon2id"),
    Column("role", Text, nullable=False),
    Column("language", Text, nullable=False, server_default="fr"),
    Column("active", Boolean, nullable=False, server_default="true"),
    CheckConstraint("role in ('agent', 'supervisor', 'auditor', 'engineer', 'admin')", name="role"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_hash", Text, primary_key=True, comment="SHA-256 of the cookie: the cookie itself is not stored"),
    Column("username", Text, ForeignKey("users.username"), nullable=False),
    Column("csrf_token", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, comment="machine time"),
)
