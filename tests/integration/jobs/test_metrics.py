"""The figures of a small operator's day, as a real receiver of OTLP gets them, and without any customer in them."""

import gzip
import logging
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from reconcile.metrics import otlp, prometheus, reading
from reconcile.metrics.catalogue import METRICS, PREFIX
from reconcile.store.tables import attempts, breakers, intents

DAY = datetime(2024, 7, 9, tzinfo=UTC)


def read(world):
    return reading.read(world.database, world.clock.now())


def value(points, name, **attributes):
    wanted = {f"{PREFIX}{key}": text for key, text in attributes.items()}
    found = [p.value for p in points if p.metric.name == name and wanted.items() <= p.attributes.items()]
    assert len(found) == 1, (name, attributes, found)
    return found[0]


@pytest.fixture
def busy(operator):
    """Thirty purchases that were credited, and two that were not: we have paid them, and the ledger has not shown it yet."""
    noon = DAY + timedelta(hours=12)
    operator.trade(noon, noon + timedelta(minutes=10), every=timedelta(seconds=20))
    operator.buy(noon + timedelta(minutes=2, seconds=1), amount=1050)
    operator.buy(noon + timedelta(minutes=3, seconds=5), amount=700)
    operator.tick(noon + timedelta(minutes=40))
    return operator


def test_the_figures_of_a_day(busy):
    points = read(busy.world)
    assert value(points, "feed.watermark.age", feed="ocs", side="ledger") == 0
    assert value(points, "feed.batches", feed="ocs", status="published") == 1
    assert value(points, "feed.rows", feed="smsc", fate="published") == 32
    assert value(points, "feed.quarantine.held", feed="ocs") == 0
    assert value(points, "breaks.open", kind="never_credited") == 2
    assert value(points, "money.at_risk", kind="never_credited", asset="XOF") == 1750
    assert value(points, "money.put_right", status="credited") == 1750
    assert value(points, "cases", status="open") == 2
    assert value(points, "intents", status="credited") == 2
    assert value(points, "outbox.notices", channel="sms") == 2
    assert value(points, "flow.mode", mode="live") == 1
    assert value(points, "flow.breaker.open") == 0
    assert value(points, "flow.run.age") == 0
    assert value(points, "job.runs", job="fold_flow", outcome="succeeded") == 1
    assert value(points, "job.runs", job="fold_flow", outcome="failed") == 0
    assert value(points, "job.time", job="fold_flow") > 0
    busy.clock_file.write_text((busy.now + timedelta(minutes=30)).isoformat())
    later = read(busy.world)
    assert value(later, "feed.watermark.age", feed="ocs") == 1800
    assert value(later, "outbox.oldest.age", channel="sms") == 1800


def test_what_is_unknown_has_an_age_and_an_open_breaker_is_one(busy):
    with busy.world.database.begin() as connection:
        connection.execute(sa.text("drop index uq_attempts_one_alive"))
        intent = connection.execute(sa.select(intents).limit(1)).one()
        connection.execute(
            sa.insert(attempts).values(
                attempt_id=intent.case_id, intent_id=intent.intent_id, number=9, status="created", payload=b"",
                payload_sha256="", created_at=busy.now, sent_at=busy.now,
            )
        )  # fmt: skip
        for status in ("sending", "unknown"):
            connection.execute(sa.update(attempts).where(attempts.c.number == 9).values(status=status))
        connection.execute(sa.insert(breakers).values(flow="topup", open="looks wrong", changed_at=busy.now))
    busy.clock_file.write_text((busy.now + timedelta(minutes=20)).isoformat())
    points = read(busy.world)
    assert value(points, "attempts", status="unknown") == 1
    assert value(points, "attempts.oldest.age", status="unknown") == 1200
    assert value(points, "flow.breaker.open", flow="topup") == 1


def test_no_figure_names_a_customer(busy):
    text = prometheus.exposition(read(busy.world))
    numbers = {row["account"].lstrip("+") for row in busy.confirmations}
    assert len(numbers) == 32
    assert [number for number in numbers if number in text] == []
    assert {name for point in read(busy.world) for name in point.attributes} <= {
        f"{PREFIX}{name}" for metric in METRICS for name in (*metric.attributes, "fate", "outcome")
    }


@pytest.fixture
def receiver(monkeypatch):
    """A receiver of OTLP over HTTP, which keeps what it decodes."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received.append((self.path, ExportMetricsServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    yield received
    server.shutdown()
    server.server_close()


def test_a_receiver_of_otlp_is_sent_every_figure_with_its_unit(busy, receiver):
    points = read(busy.world)
    otlp.push(points)
    path, request = receiver[0]
    assert path == "/v1/metrics"
    (resource,) = request.resource_metrics
    named = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert (named["service.name"], named["deployment.environment.name"]) == ("reconcile", "test")
    got = {}
    for metric in resource.scope_metrics[0].metrics:
        data = metric.sum if metric.HasField("sum") else metric.gauge
        for point in data.data_points:
            attributes = tuple(sorted((a.key, a.value.string_value) for a in point.attributes))
            number = point.as_int if point.HasField("as_int") else point.as_double
            got[metric.name, metric.unit, attributes] = number
        if metric.HasField("sum"):
            assert metric.sum.is_monotonic
    assert got == {
        (f"{PREFIX}{p.metric.name}", p.metric.unit, tuple(sorted(p.attributes.items()))): p.value for p in points
    }


def test_a_receiver_that_is_away_is_said_and_no_more(busy, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with caplog.at_level(logging.CRITICAL), pytest.raises(otlp.TelemetryError):
        otlp.push(read(busy.world))


def test_nothing_is_sent_unless_the_environment_asks_for_it(monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert not otlp.wanted()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert otlp.wanted()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not otlp.wanted()
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(otlp.TelemetryError, match="http/protobuf"):
        otlp.provider(list)
