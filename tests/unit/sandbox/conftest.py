from pathlib import Path

import pytest

from reconcile.sandbox.credit import CreditRequest, CreditStore
from reconcile.sandbox.database import Database
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.world import World, make_world

SEED = 1


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(SEED, 2_000)


@pytest.fixture
def database(tmp_path: Path):
    database = Database(tmp_path / "sandbox.sqlite")
    yield database
    database.close()


@pytest.fixture
def credit_store(database: Database) -> CreditStore:
    return CreditStore(database, SEED)


@pytest.fixture
def make_request():
    """A credit that makes a purchase good, unless something else is said."""

    def make(purchase: Purchase, correlation_id: str, **changes: object) -> CreditRequest:
        values = {
            "correlation_id": correlation_id,
            "body_hash": f"hash of {correlation_id}",
            "transaction_type": "adjustment",
            "account": purchase.account,
            "amount_minor": purchase.amount_minor,
            "original_reference": purchase.reference,
            "requesting_reference": correlation_id,
            "callback_url": None,
        }
        return CreditRequest(**(values | changes))

    return make
