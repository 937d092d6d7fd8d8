"""Local accounts: who may sign in, as what, in which language. Passwords are kept as argon2id hashes alone."""

import threading
from dataclasses import dataclass
from functools import cache
from typing import Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.dialects.postgresql import insert

from reconcile.desk.roles import Role
from reconcile.store.tables import sessions, users

PASSWORD_CHARACTERS_MIN: Final = 10
PASSWORD_CHARACTERS_MAX: Final = 200
USERNAME_CHARACTERS_MAX: Final = 60
HASHES_AT_ONCE: Final = 2
"""Each takes 64 MiB: a crowd of sign-ins waits in line instead of filling the memory."""

_hasher = PasswordHasher()
_turns = threading.BoundedSemaphore(HASHES_AT_ONCE)


class AccountError(ValueError):
    """An account cannot be added or changed; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person who may use the desk."""

    username: str
    display_name: str
    role: Role
    language: str


def add_user(
    connection: sa.Connection, username: str, password: str, role: str, *, display_name: str = "", language: str = "fr"
) -> Account:
    """Adds an account; raises `AccountError` when the name is taken, or a value does not fit."""
    values = _checked(username, password, role, display_name, language)
    added = connection.execute(insert(users).values(**values).on_conflict_do_nothing().returning(users.c.username))
    if added.first() is None:
        raise AccountError(f"there is an account {username!r} already")
    return _account(connection, username)


def ensure_user(
    connection: sa.Connection, username: str, password: str, role: str, display_name: str = "", language: str = "fr"
) -> Account:
    """The account as given, added or brought to it; sessions end when its password changes. Raises `AccountError`."""
    found = connection.execute(
        sa.select(users.c.password_hash).where(users.c.username == username)
    ).scalar_one_or_none()
    if found is None:
        return add_user(connection, username, password, role, display_name=display_name, language=language)
    same = _verified(found, password)
    values = _checked(username, password, role, display_name, language, password_hash=found if same else None)
    connection.execute(sa.update(users).where(users.c.username == username).values(**values, active=True))
    if not same:
        connection.execute(sa.delete(sessions).where(sessions.c.username == username))
    return _account(connection, username)


def deactivate(connection: sa.Connection, username: str) -> None:
    """Lets nobody sign in as `username` any more, and ends its sessions; raises `AccountError` when there is none."""
    changed = connection.execute(sa.update(users).where(users.c.username == username).values(active=False))
    if changed.rowcount != 1:
        raise AccountError(f"there is no account {username!r}")
    connection.execute(sa.delete(sessions).where(sessions.c.username == username))


def choose_language(connection: sa.Connection, username: str, language: str) -> None:
    """The language in which this person reads the desk."""
    connection.execute(sa.update(users).where(users.c.username == username).values(language=language))


def authenticate(connection: sa.Connection, username: str, password: str) -> Account | None:
    """The account of that name and password, or None. Takes as long for a name that does not exist."""
    row = connection.execute(sa.select(users).where(users.c.username == username, users.c.active)).one_or_none()
    hashed = row.password_hash if row is not None else _nobodys_hash()
    if not _verified(hashed, password[:PASSWORD_CHARACTERS_MAX]) or row is None:
        return None
    return Account(row.username, row.display_name, Role(row.role), row.language)


def _account(connection: sa.Connection, username: str) -> Account:
    row = connection.execute(sa.select(users).where(users.c.username == username)).one()
    return Account(row.username, row.display_name, Role(row.role), row.language)


def _checked(
    username: str, password: str, role: str, display_name: str, language: str, *, password_hash: str | None = None
) -> dict[str, str]:
    if not 0 < len(username) <= USERNAME_CHARACTERS_MAX or not username.isprintable() or username != username.strip():
        raise AccountError(f"a user name has 1 to {USERNAME_CHARACTERS_MAX} characters and no blanks around it")
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise AccountError(f"a password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters")
    if role not in set(Role):
        raise AccountError(f"{role!r} is no role; the roles are {', '.join(Role)}")
    if language not in {"fr", "en"}:
        raise AccountError(f"{language!r} is no language of the desk: fr or en")
    return {
        "username": username,
        "display_name": display_name or username,
        "role": role,
        "language": language,
        "password_hash": password_hash or _hashed(password),
    }


def _hashed(password: str) -> str:
    with _turns:
        return _hasher.hash(password)


def _verified(hashed: str, password: str) -> bool:
    with _turns:
        try:
            return _hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys_hash() -> str:
    return _hashed("the password of nobody")
