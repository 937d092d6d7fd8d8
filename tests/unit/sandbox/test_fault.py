import pytest

from reconcile.sandbox.database import Database
from reconcile.sandbox.fault import LOW_RATES, NO_RATES, Fault, FaultStore, draw_fault

SEED = 1


def test_a_draw_depends_on_seed_id_and_try_alone(database: Database):
    store = FaultStore(database, SEED, LOW_RATES)
    drawn = [store.strike(f"id-{n}", 1) for n in range(500)]
    assert drawn == [FaultStore(database, SEED, NO_RATES).strike(f"id-{n}", 1) for n in range(500)]
    assert drawn != [store.strike(f"id-{n}", 2) for n in range(500)]
    assert set(drawn) >= {None, *Fault} - {Fault.DUPLICATE_400}


def test_a_fault_that_is_certain_always_strikes_and_one_that_is_off_never(database: Database):
    store = FaultStore(database, SEED, NO_RATES)
    assert {store.strike(f"id-{n}", 1) for n in range(200)} == {None}
    store.change({"reply_lost": 1})
    assert {store.strike(f"id-{n}", 1) for n in range(200)} == {Fault.REPLY_LOST}


def test_a_change_is_kept_and_leaves_the_rest_alone(database: Database):
    FaultStore(database, SEED, LOW_RATES).change({"slow": 0.5, "slow_seconds": 0.1})
    values = FaultStore(database, SEED, NO_RATES).values()
    assert values == dict(LOW_RATES) | {"slow": 0.5, "slow_seconds": 0.1}


@pytest.mark.parametrize("wanted", [{"gremlin": 0.1}, {"slow": 1.1}, {"slow": "x"}, {"slow": True}, {"slow": -1}])
def test_an_impossible_change_is_refused_and_changes_nothing(database: Database, wanted: dict):
    store = FaultStore(database, SEED, LOW_RATES)
    with pytest.raises(ValueError, match=r"gremlin|expected a number"):
        store.change(wanted)
    assert store.values() == dict(LOW_RATES) | {"slow_seconds": 3.0}


def test_probabilities_beyond_certainty_are_refused(database: Database):
    with pytest.raises(ValueError, match="more than 1"):
        FaultStore(database, SEED, NO_RATES).change({"slow": 0.6, "reply_lost": 0.6})


def test_faults_share_the_line_from_zero_to_one():
    rates = dict(NO_RATES) | {Fault.REPLY_LOST: 0.25, Fault.SLOW: 0.25}
    assert [draw_fault(rates, drawn) for drawn in (0.0, 0.24, 0.25, 0.49, 0.5)] == [
        Fault.REPLY_LOST,
        Fault.REPLY_LOST,
        Fault.SLOW,
        Fault.SLOW,
        None,
    ]
