import traceback

import pytest
import sqlalchemy as sa

from reconcile.domain.clock import WallClock
from reconcile.store.database import Database, DatabaseUnavailableError
from reconcile.store.tables import directory

NUMBER = "+2250707123456"


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.dispose()


def test_an_error_says_what_is_wrong_and_not_of_whom(database):
    row = {"account": NUMBER, "channel": "pigeon", "updated_at": WallClock().now()}
    with pytest.raises(sa.exc.IntegrityError, match="ck_directory_channel") as caught, database.begin() as connection:
        connection.execute(sa.insert(directory).values(**row))
    shown = "".join(traceback.format_exception(caught.value))
    assert NUMBER not in shown
    assert "DETAIL" not in shown


def test_a_block_that_raises_leaves_nothing_behind(database):
    row = {"account": NUMBER, "updated_at": WallClock().now()}
    with pytest.raises(ZeroDivisionError), database.begin() as connection:
        connection.execute(sa.insert(directory).values(**row))
        1 / 0  # noqa: B018 - the failure
    with database.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(directory)).scalar_one() == 0


def test_a_server_that_is_not_there_is_named_without_its_password():
    database = Database("postgresql+psycopg2://reconcile:hush@127.0.0.1:1/reconcile")
    with pytest.raises(DatabaseUnavailableError) as caught:
        database.check()
    assert "127.0.0.1:1" in str(caught.value)
    assert "hush" not in str(caught.value)
    database.dispose()
