"""Alerts, told to a real webhook and a real mail server: each stage of each cause once, under one key."""

import email
import email.policy
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from reconcile.alerts import channel
from reconcile.alerts.outbox import only_teller
from reconcile.cases import breaker
from reconcile.config import Alerts, ConfigurationError
from reconcile.jobs.tell_operators import tell_operators
from reconcile.runtime.ports import Ports
from reconcile.store.tables import alerts, attempts, incidents, intents

DAY = datetime(2024, 7, 9, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append(body)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def webhook():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    server.received, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def mailbox():
    class Box:
        def __init__(self):
            self.mails = []

        async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the library's name
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            return "250 OK"

    box = Box()
    box.port = Ports().free(8025)
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def world_with(operator, monkeypatch):
    """The operator's world, with alerts to these addresses."""

    def world(*urls, **options):
        for number, url in enumerate(urls):
            monkeypatch.setenv(f"ALERT_{number}", url)
        section = Alerts(urls=[{"env": f"ALERT_{number}"} for number in range(len(urls))], **options)
        return replace(
            operator.world, configuration=operator.world.configuration.model_copy(update={"alerts": section})
        )

    return world


def hook(webhook):
    return f"json://127.0.0.1:{webhook.server_port}/hook"


def trip(operator, reason="many breaks without an outage"):
    with operator.world.database.begin() as connection:
        breaker.trip(connection, flow="topup", reason=reason, now=operator.now)


def reset(operator):
    with operator.world.database.begin() as connection:
        breaker.reset(connection, flow="topup", reason="looked at", now=operator.now, actor="test")


def test_without_alerts_configured_nothing_is_looked_at(operator):
    assert tell_operators(operator.world) == {}


def test_an_opened_breaker_is_told_once_and_its_end_once_under_one_key(operator, webhook, world_with):
    world = world_with(hook(webhook))
    trip(operator)
    assert tell_operators(world) == {"open": 1, "told": 1, "not_told": 0}
    assert tell_operators(world) == {"open": 1, "told": 0, "not_told": 0}
    reset(operator)
    assert tell_operators(world) == {"open": 0, "told": 1, "not_told": 0}
    assert tell_operators(world) == {"open": 0, "told": 0, "not_told": 0}
    first, second = webhook.received
    assert first["title"] == second["title"] == f"reconcile: breaker opened: topup [{first['key']}]"
    assert (first["key"], first["stage"], first["type"]) == (second["key"], "open", "failure")
    assert (second["stage"], second["type"]) == ("over", "success")
    assert "many breaks without an outage" in first["message"]
    with world.database.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(alerts)).scalar_one() == 0


def test_a_breaker_that_opens_again_is_another_cause(operator, webhook, world_with):
    world = world_with(hook(webhook))
    trip(operator)
    tell_operators(world)
    reset(operator)
    operator.clock_file.write_text((operator.now + timedelta(minutes=5)).isoformat())
    trip(operator)
    tell_operators(world)
    keys = [(body["key"], body["stage"]) for body in webhook.received]
    assert len({key for key, _ in keys}) == 2
    assert sorted(stage for _, stage in keys) == ["open", "open", "over"]


def test_a_cause_that_went_before_anybody_was_told_is_not_told(operator, webhook, world_with):
    webhook.status = 500
    world = world_with(hook(webhook))
    trip(operator)
    assert tell_operators(world) == {"open": 1, "told": 0, "not_told": 1}
    webhook.status = 200
    reset(operator)
    assert tell_operators(world) == {"open": 0, "told": 0, "not_told": 0}


def test_what_no_address_took_is_tried_again_and_one_address_is_enough(operator, webhook, world_with):
    webhook.status = 503
    trip(operator)
    world = world_with(hook(webhook))
    assert tell_operators(world)["not_told"] == 1
    webhook.status = 200
    both = world_with("json://127.0.0.1:1/away", hook(webhook))
    assert tell_operators(both) == {"open": 1, "told": 1, "not_told": 0}
    assert tell_operators(both)["told"] == 0


def test_an_incident_is_one_thread_of_mails_from_its_opening_to_its_end(operator, mailbox, world_with):
    world = world_with(
        f"mailto://127.0.0.1:{mailbox.port}?from=reconcile@example.org&to=night@example.org&mode=insecure"
    )
    operator.trade(NOON, NOON + timedelta(hours=1), every=timedelta(seconds=20))
    operator.trade(
        NOON + timedelta(hours=1), NOON + timedelta(hours=1, minutes=20), every=timedelta(seconds=20), credited=False
    )
    operator.tick(NOON + timedelta(hours=1, minutes=40))
    (incident,) = operator.rows(incidents)
    tell_operators(world)
    tell_operators(world)
    with world.database.begin() as connection:
        connection.execute(sa.update(incidents).values(status="recovered"))
        connection.execute(sa.update(incidents).values(status="closed", closed_at=operator.now))
    tell_operators(world)
    told = [mail for mail in mailbox.mails if incident.number in mail["Subject"]]
    assert len(told) == 2
    assert len({mail["Subject"] for mail in told}) == 1
    assert {mail["References"] for mail in told} == {f"<incident:{incident.number}@reconcile>"}
    texts = [mail.get_body(("plain", "html")).get_content() for mail in told]
    assert "open: " in texts[0]
    assert "60 purchases are not credited, 63000 minor units of XOF" in texts[0]
    assert "over. It was: " in texts[1]
    phones = [row["account"].lstrip("+") for row in operator.confirmations]
    assert [phone for phone in phones for text in texts if phone in text] == []


def test_a_stopped_feed_is_told_by_its_name(operator, webhook, world_with):
    with operator.world.database.begin() as connection:
        connection.execute(
            sa.insert(incidents).values(
                incident_id="00000000-0000-0000-0000-000000000001", number="OCS-240709-1", flow="topup", kind="feed",
                status="open", scope={"feed": "ocs", "side": "ledger"}, started_at=NOON, detected_at=NOON,
            )
        )  # fmt: skip
    tell_operators(world_with(hook(webhook)))
    (body,) = webhook.received
    assert (body["key"], body["title"].split(" [")[0]) == ("incident:OCS-240709-1", "reconcile: feed stopped: ocs")


def test_attempts_of_unknown_outcome_are_told_when_they_have_aged(operator, webhook, world_with):
    world = world_with(hook(webhook))
    operator.trade(NOON, NOON + timedelta(minutes=10), every=timedelta(seconds=20))
    operator.buy(NOON + timedelta(minutes=2, seconds=1))
    operator.advance(NOON + timedelta(minutes=40))
    operator.fold()
    with world.database.begin() as connection:
        intent_id = connection.execute(sa.select(intents.c.intent_id)).scalar_one()
        for status in ("reserved", "executing"):
            connection.execute(sa.update(intents).values(status=status))
        connection.execute(
            sa.insert(attempts).values(
                attempt_id=intent_id, intent_id=intent_id, number=1, status="created", payload=b"", payload_sha256="",
                created_at=operator.now, sent_at=operator.now,
            )
        )  # fmt: skip
        for status in ("sending", "unknown"):
            connection.execute(sa.update(attempts).values(status=status))
    assert tell_operators(world)["open"] == 0
    operator.clock_file.write_text((operator.now + timedelta(minutes=16)).isoformat())
    assert tell_operators(world) == {"open": 1, "told": 1, "not_told": 0}
    assert webhook.received[0]["key"] == "unknown:topup"


def test_a_job_that_keeps_failing_and_a_violated_invariant_are_told_without_the_error(operator, webhook, world_with):
    world = world_with(hook(webhook), job_failures=2)

    def failing(error):
        with pytest.raises(type(error)), world.job("take_feed", "ocs"):
            raise error

    failing(ValueError("2250701020304"))
    assert tell_operators(world)["open"] == 0
    failing(AssertionError("2250701020304"))
    tell_operators(world)
    told = {body["title"].split(" [")[0]: body["message"] for body in webhook.received}
    assert set(told) == {
        "reconcile: job fails: take_feed ocs",
        "reconcile: invariant violated: take_feed ocs",
        "reconcile: breaker opened: topup",
    }
    assert [text for text in told.values() if "2250701020304" in text] == []
    with world.job("take_feed", "ocs"):
        pass
    webhook.received.clear()
    tell_operators(world)
    assert [body["key"] for body in webhook.received] == ["job:take_feed:ocs"]


def test_two_processes_do_not_tell_twice(operator, webhook, world_with):
    world = world_with(hook(webhook))
    trip(operator)
    with only_teller(world.database) as alone:
        assert alone
        assert tell_operators(world) == {"open": 0, "told": 0, "not_told": 0}
    assert webhook.received == []
    assert tell_operators(world)["told"] == 1


def test_an_address_that_cannot_be_is_named_by_its_place_alone():
    with pytest.raises(ConfigurationError, match="address 2") as refused:
        channel.check(["json://127.0.0.1/x", "nosuch://tok3n@host"])
    assert "tok3n" not in str(refused.value)
