from datetime import UTC, datetime, timedelta

import pytest

from reconcile.notices.standing import APPROVED_WAIT_MAX, KNOWLEDGE_AGE_MAX, Answer, Standing, decide

NOW = datetime(2024, 7, 9, 14, 50, tzinfo=UTC)
SAY, HOLD, DROP = Answer.SAY, Answer.HOLD, Answer.DROP


def standing(**changes):
    values = {
        "mode": "live", "breaker": None, "opted_out": False, "case_status": "open", "owed_minor": 1050, "credited_at": None, "intents": (),
        "known_at": NOW, "planned_at": NOW, **changes,
    }  # fmt: skip
    return Standing(**{**values, "intents": frozenset(values["intents"])})


MISSING = [
    ({}, SAY),
    ({"mode": "canary"}, SAY),
    ({"mode": "stopped"}, HOLD),
    ({"mode": None}, HOLD),
    ({"mode": "shadow"}, DROP),
    ({"mode": "shadow", "breaker": "too many"}, DROP),
    ({"breaker": "too many"}, HOLD),
    ({"opted_out": True}, DROP),
    ({"case_status": "remedied"}, DROP),
    ({"case_status": "closed"}, DROP),
    ({"credited_at": NOW}, DROP),
    ({"owed_minor": 0}, DROP),
    ({"owed_minor": -1050}, DROP),
    ({"intents": ["planned"]}, SAY),
    ({"intents": ["awaiting_approval"]}, SAY),
    ({"intents": ["void"]}, SAY),
    ({"intents": ["approved"]}, HOLD),
    ({"intents": ["approved"], "planned_at": NOW - APPROVED_WAIT_MAX}, SAY),
    ({"intents": ["reserved"], "planned_at": NOW - APPROVED_WAIT_MAX}, HOLD),
    ({"intents": ["executing"], "planned_at": NOW - timedelta(days=1)}, HOLD),
    ({"intents": ["credited"]}, HOLD),
    ({"intents": ["void", "credited"]}, HOLD),
    ({"intents": ["verified"]}, DROP),
    ({"intents": ["escalated"]}, DROP),
    ({"known_at": None}, HOLD),
    ({"known_at": NOW - KNOWLEDGE_AGE_MAX}, SAY),
    ({"known_at": NOW - KNOWLEDGE_AGE_MAX - timedelta(seconds=1)}, HOLD),
]


@pytest.mark.parametrize("event", ["detected", "delayed", "delayed:2"])
@pytest.mark.parametrize(("changes", "answer"), MISSING)
def test_not_arrived_is_said_only_while_it_is_known_to_be_missing_and_nobody_is_paying(event, changes, answer):
    assert decide(event, standing(**changes), NOW).answer is answer


CREDITED = [
    ({"case_status": "remedied"}, SAY),
    ({"case_status": "closed"}, SAY),
    ({"case_status": "closed", "known_at": None}, SAY),
    ({"case_status": "open"}, DROP),
    ({"case_status": "closed", "intents": ["credited"]}, DROP),
    ({"case_status": "closed", "intents": ["escalated"]}, DROP),
    ({"case_status": "closed", "mode": "stopped"}, HOLD),
    ({"case_status": "closed", "breaker": "too many"}, HOLD),
]


@pytest.mark.parametrize(("changes", "answer"), CREDITED)
def test_credited_is_said_only_of_a_credit_that_is_on_the_ledger(changes, answer):
    assert decide("credited", standing(**{"intents": ["verified"], **changes}), NOW).answer is answer


SELF_SETTLED = [
    ({"case_status": "self_settled"}, SAY),
    ({"case_status": "open", "owed_minor": -1050}, SAY),
    ({"case_status": "open", "owed_minor": 1}, DROP),
    ({"case_status": "open", "owed_minor": -1050, "intents": ["verified"]}, DROP),
    ({"case_status": "closed"}, SAY),
    ({"case_status": "closed", "intents": ["void"]}, SAY),
    ({"case_status": "open"}, DROP),
    ({"case_status": "remedied"}, DROP),
    ({"case_status": "closed", "intents": ["executing"]}, DROP),
    ({"case_status": "closed", "intents": ["verified"]}, DROP),
]


@pytest.mark.parametrize(("changes", "answer"), SELF_SETTLED)
def test_arrived_by_itself_is_said_only_of_a_case_that_closed_without_our_money(changes, answer):
    assert decide("self_settled", standing(**changes), NOW).answer is answer


def test_every_answer_comes_with_its_reason():
    for changes, _ in MISSING:
        assert decide("detected", standing(**changes), NOW).reason
