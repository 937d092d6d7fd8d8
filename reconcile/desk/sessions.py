"""Signed-in sessions. The cookie holds a random token; the table holds its hash alone. Their time is machine time."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from reconcile.desk.accounts import Account
from reconcile.desk.roles import Permission, Role, may
from reconcile.store.tables import sessions, users

TOKEN_BYTES: Final = 32
SESSIONS_PER_USER_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever is looking at a page."""

    account: Account
    csrf_token: str

    @property
    def username(self) -> str:
        return self.account.username

    @property
    def role(self) -> Role:
        return self.account.role

    @property
    def actor(self) -> str:
        """What the audit calls this person."""
        return f"user:{self.account.username}"

    def may(self, permission: str) -> bool:
        return may(self.account.role, Permission(permission))


def open_session(connection: sa.Connection, account: Account, *, hours: int) -> str:
    """A new session; returns the token for the cookie. Expired sessions, and the oldest of too many, are removed."""
    now = datetime.now(UTC)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    newest = (
        sa.select(sessions.c.session_hash)
        .where(sessions.c.username == account.username)
        .order_by(sessions.c.created_at.desc())
        .limit(SESSIONS_PER_USER_MAX - 1)
    )
    mine = sessions.c.username == account.username
    connection.execute(
        sa.delete(sessions).where((sessions.c.expires_at <= now) | (mine & sessions.c.session_hash.not_in(newest)))
    )
    connection.execute(
        sa.insert(sessions).values(
            session_hash=_hashed(token),
            username=account.username,
            csrf_token=secrets.token_urlsafe(TOKEN_BYTES),
            created_at=now,
            expires_at=now + timedelta(hours=hours),
        )
    )
    return token


def find_viewer(connection: sa.Connection, token: str) -> Viewer | None:
    """Who holds this cookie; None when the session is unknown or over, or its account is closed."""
    row = connection.execute(
        sa.select(users, sessions.c.csrf_token)
        .join(sessions, sessions.c.username == users.c.username)
        .where(sessions.c.session_hash == _hashed(token), sessions.c.expires_at > datetime.now(UTC), users.c.active)
    ).one_or_none()
    if row is None:
        return None
    return Viewer(Account(row.username, row.display_name, Role(row.role), row.language), row.csrf_token)


def close_session(connection: sa.Connection, token: str) -> None:
    """Ends the session of this cookie; harmless when it is over already."""
    connection.execute(sa.delete(sessions).where(sessions.c.session_hash == _hashed(token)))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
