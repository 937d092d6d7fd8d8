"""Paying once, on a real PostgreSQL. The gateway here keeps its own books, which are what the tests read.

The same dispatcher meets the sandbox's GSMA API over HTTP in test_gsma_sandbox.py.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from reconcile.domain.clock import FixedClock
from reconcile.domain.ids import derive
from reconcile.remedy import intents, modes, postings, verification
from reconcile.remedy.dispatch import Dispatcher
from reconcile.remedy.gateway import Answer, Meaning
from reconcile.store.database import Database
from reconcile.store.tables import approvals, attempts, breakers, cases, flow_modes, incidents
from reconcile.store.tables import intents as intents_table

NOW = datetime(2024, 7, 9, 14, 5, tzinfo=UTC)
LIMITS = modes.Limits(
    max_amount_minor=5000, max_per_customer_day_minor=20000, max_per_hour_minor=10**6, max_per_day_minor=10**6
)


class Killed(BaseException):
    """The process dies here."""


class BookKeepingGateway:
    """Credits once per key, as a class A gateway does; `script` says what goes wrong at each send."""

    def __init__(self, script=()):
        self.credited: dict[UUID, int] = {}
        self.payloads: dict[UUID, set[bytes]] = {}
        self.sends = 0
        self._script = list(script)
        self._lock = threading.Lock()

    def available(self):
        return True

    def payload(self, order):
        return f"{order.key} {order.account} {order.amount_minor}".encode()

    def send(self, order, payload):
        with self._lock:
            self.sends += 1
            self.payloads.setdefault(order.key, set()).add(payload)
            fault = self._script.pop(0) if self._script else None
            if fault == "killed before":
                raise Killed
            if fault == "request lost":
                return Answer(Meaning.UNKNOWN)
            if fault == "refused":
                return Answer(Meaning.FAILED)
            self.credited.setdefault(order.key, order.amount_minor)
            if fault == "killed after":
                raise Killed
            if fault == "reply lost":
                return Answer(Meaning.UNKNOWN)
            return Answer(Meaning.COMPLETED, 202, "S")

    def ask(self, order, gateway_reference):
        return Answer(Meaning.COMPLETED if order.key in self.credited else Meaning.NOT_FOUND)


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    with database.begin() as connection:
        modes.activate(connection, flow="topup", mode="live", limits=LIMITS, actor="test", reason="test", now=NOW)
    yield database
    database.dispose()


def owe(database, number=0, *, amount=1050, account="+2250707000001", incident=None, **changes):
    case_id = derive("case", str(number))
    values = {
        "case_id": case_id, "number": f"N{number}", "flow": "topup", "status": "open", "kind": "never_credited",
        "version": 1, "account": account, "asset": "XOF", "confirmed_minor": amount, "owed_minor": amount,
        "detected_at": NOW, "grade": "proven", "disposition": "pay", "disposition_reason": "within policy",
        "owner": "policy", "incident_id": incident,
    } | changes  # fmt: skip
    with database.begin() as connection:
        connection.execute(sa.insert(cases).values(**values))
        intents.plan(connection, now=NOW, remedies=[remedy(case_id, amount, account)])
    return case_id


def remedy(case_id, amount=1050, account="+2250707000001", **changes):
    return intents.Remedy(**({
        "case_id": case_id, "flow": "topup", "component": "recredit", "account": account, "asset": "XOF",
        "amount_minor": amount, "purchase_minor": amount, "reference": "RC1", "message_id": str(case_id),
        "verdict_version": 1, "policy_version": "p", "reason": "within policy", "approved": True,
    } | changes))  # fmt: skip


def dispatcher(database, gateway, **changes):
    values = {
        "database": database, "gateway": gateway, "clock": FixedClock(NOW), "flow": "topup",
        "id_horizon": timedelta(hours=24), "requests_per_second": 5000, "concurrency": 4,
    } | changes  # fmt: skip
    return Dispatcher(**values)


def statuses(database, table=intents_table):
    with database.begin() as connection:
        return sorted(connection.execute(sa.select(table.c.status)).scalars())


def end_leases(database):
    with database.begin() as connection:
        connection.execute(sa.update(attempts).values(lease_until=sa.func.now() - timedelta(seconds=1)))


def balances(database):
    with database.begin() as connection:
        return {account: minor for (account, _), minor in postings.balances(connection).items() if minor}


def test_what_is_owed_is_credited_once_and_booked(database):
    owe(database)
    gateway = BookKeepingGateway()
    assert dispatcher(database, gateway).run() == {"confirmed": 1}
    assert dispatcher(database, gateway).run() == {}
    assert list(gateway.credited.values()) == [1050]
    assert statuses(database) == ["credited"]
    assert balances(database) == {"budget": -1050, "paid": 1050}


def test_deciding_twice_makes_one_intent(database):
    case_id = owe(database)
    with database.begin() as connection:
        assert intents.plan(connection, now=NOW, remedies=[remedy(case_id)]) == 0
        assert intents.plan(connection, now=NOW, remedies=[remedy(case_id, component="refund")]) == 0


def test_a_reply_that_is_lost_is_asked_about_and_never_sent_again(database):
    owe(database)
    gateway = BookKeepingGateway(["reply lost"])
    dispatcher(database, gateway).run()
    assert statuses(database) == ["credited"]
    assert gateway.sends == 1


def test_a_request_that_is_lost_is_sent_again_under_the_same_id_with_the_same_bytes(database):
    owe(database)
    gateway = BookKeepingGateway(["request lost", "request lost"])
    dispatcher(database, gateway).run()
    assert statuses(database) == ["credited"]
    assert len(gateway.credited) == 1
    assert all(len(payloads) == 1 for payloads in gateway.payloads.values())


def test_only_a_proven_failure_leads_to_a_new_id(database):
    owe(database)
    gateway = BookKeepingGateway(["refused"])
    assert dispatcher(database, gateway).run() == {"failed_proven": 1}
    assert balances(database) == {}
    dispatcher(database, gateway).run()
    assert len(gateway.payloads) == 2
    assert list(gateway.credited.values()) == [1050]
    assert statuses(database, attempts) == ["confirmed", "failed_proven"]
    assert balances(database) == {"budget": -1050, "paid": 1050}


@pytest.mark.parametrize("moment", ["killed before", "killed after"])
def test_a_worker_that_dies_at_the_send_is_followed_by_one_that_asks_first(database, moment):
    owe(database)
    gateway = BookKeepingGateway([moment])
    with pytest.raises(Killed):
        dispatcher(database, gateway).run()
    assert statuses(database, attempts) == ["sending"]
    assert dispatcher(database, gateway).run() == {}, "the dead worker's lease still holds"
    end_leases(database)
    dispatcher(database, gateway).run()
    assert statuses(database) == ["credited"]
    assert len(gateway.credited) == 1
    assert gateway.sends == (2 if moment == "killed before" else 1)


def test_a_worker_that_slept_through_its_lease_decides_nothing(database):
    owe(database)

    class SlowGateway(BookKeepingGateway):
        def send(self, order, payload):
            answer = super().send(order, payload)
            if self.sends == 1:  # while the first worker is away, its lease ends and another takes over
                end_leases(database)
                dispatcher(database, self, worker="second").run()
            return answer

    gateway = SlowGateway()
    assert dispatcher(database, gateway, worker="first").run() == {"lease_lost": 1}
    assert statuses(database) == ["credited"]
    assert len(gateway.credited) == 1


def test_workers_at_the_same_time_pay_each_intent_once(database):
    for number in range(60):
        owe(database, number, account=f"+22507070001{number:02}")
    gateway = BookKeepingGateway(["reply lost", None, "request lost"] * 20)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda name: dispatcher(database, gateway, worker=str(name)).run(), range(3)))
    end_leases(database)
    dispatcher(database, gateway).run()
    assert len(gateway.credited) == 60
    assert statuses(database) == ["credited"] * 60
    assert balances(database) == {"budget": -60 * 1050, "paid": 60 * 1050}


def test_caps_hold_under_concurrency(database):
    for number in range(30):
        owe(database, number, amount=1000)  # one customer, 20,000 a day
    gateway = BookKeepingGateway()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda name: dispatcher(database, gateway, worker=str(name)).run(), range(3)))
    assert sum(gateway.credited.values()) == 20000
    assert statuses(database).count("approved") == 10


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ({"mode": "stopped"}, flow_modes),
        ({"mode": "shadow"}, flow_modes),
        ({"status": "self_settled"}, cases),
        ({"kind": "over_credited", "owed_minor": -1050}, cases),
        ({"owed_minor": 1049}, cases),
        ({"account": "+2250707999999"}, cases),
        ({"grade": "assumed"}, cases),
        ({"blocked": "read by the general extractor"}, cases),
    ],
)
def test_what_changed_since_the_decision_keeps_the_gate_closed(database, change, table):
    owe(database)
    with database.begin() as connection:
        connection.execute(sa.update(table).values(**change))
    gateway = BookKeepingGateway()
    dispatcher(database, gateway).run()
    assert gateway.sends == 0
    assert statuses(database) == ["approved"]


def test_an_open_breaker_keeps_the_gate_closed(database):
    owe(database)
    with database.begin() as connection:
        connection.execute(sa.insert(breakers).values(flow="topup", open="everything is a break", changed_at=NOW))
    gateway = BookKeepingGateway()
    dispatcher(database, gateway).run()
    assert gateway.sends == 0


def test_a_flow_without_a_mode_is_stopped(database):
    owe(database)
    with database.begin() as connection:
        connection.execute(sa.delete(flow_modes))
    gateway = BookKeepingGateway()
    assert dispatcher(database, gateway).run() == {"not_paying": 1}
    assert gateway.sends == 0


def test_more_than_policy_pays_waits_for_a_person(database):
    owe(database, amount=5001)
    gateway = BookKeepingGateway()
    assert dispatcher(database, gateway).run() == {"waiting": 1}
    assert gateway.sends == 0


def test_canary_pays_a_few_and_waits_until_they_are_on_the_ledger(database):
    for number in range(10):
        owe(database, number, account=f"+22507070002{number:02}")
    with database.begin() as connection:
        connection.execute(sa.update(flow_modes).values(mode="canary"))
    gateway = BookKeepingGateway()
    dispatcher(database, gateway, concurrency=1).run()
    assert len(gateway.credited) == 3


def test_an_incident_pays_no_more_than_its_approval(database):
    incident_id = uuid4()
    with database.begin() as connection:
        connection.execute(
            sa.insert(incidents).values(
                incident_id=incident_id, number="I1", flow="topup", kind="credits", status="open", scope={},
                started_at=NOW, detected_at=NOW, asset="XOF", max_count=2, max_minor=5000,
            )
        )  # fmt: skip
    for number in range(4):
        owe(database, number, account=f"+22507070003{number:02}", incident=incident_id)
    gateway = BookKeepingGateway()
    dispatcher(database, gateway).run()
    assert gateway.sends == 0, "a case of an incident needs an approval of its own, or the incident's"


def test_an_approval_covers_what_policy_had_approved_before_its_case_joined_an_incident(database):
    case_id = owe(database)
    approval_id, incident_id = uuid4(), uuid4()
    with database.begin() as connection:
        connection.execute(
            sa.insert(incidents).values(
                incident_id=incident_id, number="I1", flow="topup", kind="credits", status="open", scope={},
                started_at=NOW, detected_at=NOW, asset="XOF", max_count=1, max_minor=1050,
            )
        )  # fmt: skip
        for status in ("recovered", "approved"):
            connection.execute(sa.update(incidents).values(status=status))
        connection.execute(sa.update(cases).values(incident_id=incident_id))
    gateway = BookKeepingGateway()
    dispatcher(database, gateway).run()
    assert gateway.sends == 0
    with database.begin() as connection:
        connection.execute(
            sa.insert(approvals).values(
                approval_id=approval_id, subject_kind="incident", subject_id=incident_id, status="proposed", maker="one",
                reason="outage", terms={}, evidence_hash="", proposed_at=NOW, expires_at=NOW,
            )
        )  # fmt: skip
        connection.execute(sa.update(approvals).values(status="approved", approver="two", decided_at=NOW))
        for changed in (1, 0):
            given = {"case_ids": [case_id], "approval_id": approval_id, "actor": "user:two"}
            assert intents.approve(connection, now=NOW, **given) == changed
    dispatcher(database, gateway).run()
    assert statuses(database) == ["credited"]
    with database.begin() as connection:
        assert connection.execute(sa.select(incidents.c.used_count, incidents.c.used_minor)).one() == (1, 1050)


def verify(database, *rows):
    with database.begin() as connection:
        return verification.apply(connection, now=NOW, rows=rows)


def own_key(database):
    with database.begin() as connection:
        return str(connection.execute(sa.select(attempts.c.attempt_id)).scalar_one())


def test_a_credit_seen_once_on_the_ledger_is_verified(database):
    case_id = owe(database)
    dispatcher(database, BookKeepingGateway()).run()
    row = verification.OwnCredit(own_key(database), 1, 1050, NOW, "verified")
    assert verify(database, row).verified == [(case_id, NOW)]
    assert verify(database, row).verified == [], "what is known already is not news"
    assert statuses(database) == ["verified"]


def test_the_ledger_settles_what_the_gateway_left_unknown(database):
    owe(database)

    class Mute(BookKeepingGateway):
        def ask(self, order, gateway_reference):
            return Answer(Meaning.UNKNOWN)

    dispatcher(database, Mute(["reply lost"])).run()
    assert statuses(database) == ["executing"]
    verify(database, verification.OwnCredit(own_key(database), 1, 1050, NOW, "verified"))
    assert statuses(database) == ["verified"]
    assert balances(database) == {"budget": -1050, "paid": 1050}


@pytest.mark.parametrize(
    ("count", "minor", "verdict"), [(2, 2100, "doubled"), (0, 0, "missing"), (1, 1000, "verified")]
)
def test_a_remedy_that_the_books_do_not_bear_out_goes_to_a_person(database, count, minor, verdict):
    owe(database)
    dispatcher(database, BookKeepingGateway()).run()
    verify(database, verification.OwnCredit(own_key(database), count, minor, NOW if count else None, verdict))
    assert statuses(database) == ["escalated"]


def test_beyond_the_gateways_memory_nothing_is_sent_again(database):
    owe(database)
    gateway = BookKeepingGateway(["killed before"])
    with pytest.raises(Killed):
        dispatcher(database, gateway).run()
    end_leases(database)
    assert dispatcher(database, gateway, clock=FixedClock(NOW + timedelta(hours=25))).run() == {"escalated": 1}
    assert gateway.sends == 1
    assert statuses(database) == ["escalated"]


def test_what_is_no_longer_owed_is_withdrawn_unless_it_was_sent(database):
    first, second = owe(database, 1), owe(database, 2, account="+2250707000002")
    with database.begin() as connection:
        assert intents.withdraw(connection, now=NOW, case_ids=[first], reason="the original landed") == 1
    gateway = BookKeepingGateway()
    dispatcher(database, gateway).run()
    assert len(gateway.credited) == 1
    with database.begin() as connection:
        assert intents.withdraw(connection, now=NOW, case_ids=[first, second], reason="the original landed") == 0
        table = intents.own_table(connection, "topup", since=NOW - timedelta(days=7))
    assert table["break_id"].to_pylist() == [str(second)]
    assert table["status"].to_pylist() == ["confirmed"]
