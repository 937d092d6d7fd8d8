"""Accounts and sessions as the database keeps them."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from reconcile.desk.accounts import AccountError, add_user, authenticate, deactivate, ensure_user
from reconcile.desk.sessions import SESSIONS_PER_USER_MAX, close_session, find_viewer, open_session
from reconcile.store.database import Database
from reconcile.store.tables import sessions, users

PASSWORD = "correct horse battery"


@pytest.fixture
def connection(database_url):
    database = Database(database_url)
    with database.begin() as connection:
        yield connection
    database.dispose()


def test_an_account_signs_in_with_its_own_password_alone(connection):
    account = add_user(connection, "awa", PASSWORD, "agent", display_name="Awa K.")
    assert authenticate(connection, "awa", PASSWORD) == account
    assert authenticate(connection, "awa", PASSWORD + "!") is None
    assert authenticate(connection, "issa", PASSWORD) is None
    stored = connection.execute(sa.select(users.c.password_hash)).scalar_one()
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"username": ""}, "user name"),
        ({"username": " awa"}, "user name"),
        ({"username": "a\nb"}, "user name"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"role": "boss"}, "role"),
        ({"language": "de"}, "language"),
    ],
)
def test_an_account_that_does_not_fit_is_refused_with_the_reason(connection, changes, message):
    values = {"username": "awa", "password": PASSWORD, "role": "agent", **changes}
    with pytest.raises(AccountError, match=message):
        add_user(connection, **values)


def test_a_name_is_taken_once_and_ensuring_it_brings_it_up_to_date(connection):
    add_user(connection, "awa", PASSWORD, "agent")
    with pytest.raises(AccountError, match="already"):
        add_user(connection, "awa", PASSWORD, "agent")
    assert ensure_user(connection, "awa", PASSWORD, "supervisor", "Awa K.", "en").role == "supervisor"
    assert authenticate(connection, "awa", PASSWORD).language == "en"


def test_a_new_password_ends_the_sessions_and_the_same_one_does_not(connection):
    account = ensure_user(connection, "awa", PASSWORD, "agent")
    token = open_session(connection, account, hours=1)
    ensure_user(connection, "awa", PASSWORD, "agent")
    assert find_viewer(connection, token).username == "awa"
    ensure_user(connection, "awa", PASSWORD + "2", "agent")
    assert find_viewer(connection, token) is None


def test_whoever_is_deactivated_is_out_at_once(connection):
    token = open_session(connection, add_user(connection, "awa", PASSWORD, "agent"), hours=1)
    deactivate(connection, "awa")
    assert find_viewer(connection, token) is None
    assert authenticate(connection, "awa", PASSWORD) is None
    with pytest.raises(AccountError, match="no account"):
        deactivate(connection, "issa")


def test_a_session_ends_by_its_time_by_signing_out_and_when_there_are_too_many(connection):
    account = add_user(connection, "awa", PASSWORD, "agent")
    tokens = [open_session(connection, account, hours=1) for _ in range(SESSIONS_PER_USER_MAX + 1)]
    assert [find_viewer(connection, token) is not None for token in tokens] == [False] + [True] * SESSIONS_PER_USER_MAX
    close_session(connection, tokens[1])
    assert find_viewer(connection, tokens[1]) is None
    connection.execute(sa.update(sessions).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert find_viewer(connection, tokens[2]) is None
    open_session(connection, account, hours=1)
    assert connection.execute(sa.select(sa.func.count()).select_from(sessions)).scalar_one() == 1


def test_a_form_token_is_new_for_each_session(connection):
    account = add_user(connection, "awa", PASSWORD, "agent")
    viewers = [find_viewer(connection, open_session(connection, account, hours=1)) for _ in range(2)]
    assert viewers[0].csrf_token != viewers[1].csrf_token
