"""What a line holds, and that hostile values in messages, fields and tracebacks do not get through."""

import io
import json
import logging
import threading
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from reconcile.logs import context
from reconcile.logs.setup import MaskedError, masked_error, to_airflow, to_standard_error

PHONE = "2250701020304"
NAME = "Awa Kone"
KEY = "s3cret-key"
RUN_ID = UUID("0190a4f2-1234-5678-9abc-123456789012")


@pytest.fixture(autouse=True)
def logging_as_it_was(monkeypatch):
    monkeypatch.delenv("RECONCILE_LOG_FORMAT", raising=False)
    monkeypatch.delenv("RECONCILE_LOG_LEVEL", raising=False)
    root, ours = logging.getLogger(), logging.getLogger("reconcile")
    before = (list(root.handlers), root.level, list(ours.handlers), ours.propagate, ours.level)
    yield
    root.handlers[:], root.level, ours.handlers[:], ours.propagate, ours.level = before
    logging.captureWarnings(False)


@pytest.fixture
def said():
    """Sets logging up in a style; what has been written since."""
    stream = io.StringIO()

    def lines(style="json", **options):
        logging.getLogger().handlers[:] = []  # pytest's own raise what a log call does wrong
        to_standard_error(style=style, stream=stream, **options)
        return stream

    return lines


LOG = logging.getLogger("reconcile.test")


def test_a_json_line_has_time_level_event_and_the_fields_of_its_context(said):
    stream = said()
    with context.about(job="take_feed", feed="ocs"):
        LOG.info("batch published", extra={"batch_id": RUN_ID, "counts": {"raw": 3}, "money_minor": 12_345_678_900})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "event": "batch published",
        "logger": "reconcile.test",
        "job": "take_feed",
        "feed": "ocs",
        "batch_id": str(RUN_ID),
        "counts": {"raw": 3},
        "money_minor": 12_345_678_900,
    }


def test_a_plain_line_shows_the_same_on_one_line(said):
    stream = said("text")
    with context.about(job="fold_flow", flow="topup"):
        LOG.info("job ended\nFAKE ERROR line", extra={"duration_ms": 12, "reason": "two words"})
    (line,) = stream.getvalue().splitlines()
    assert line.endswith(
        'reconcile.test: job ended FAKE ERROR line job=fold_flow flow=topup duration_ms=12 reason="two words"'
    )


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize(
    "fields",
    [
        {"account": PHONE},
        {"account": int(PHONE)},
        {"account": float(PHONE)},
        {"counts": {PHONE: 1}},
        {"list": [["+225 07 01 02 03 04"], {"deep": {"deeper": {"deepest": PHONE}}}]},
        {"error_object": ValueError(PHONE)},
        {"bytes": PHONE.encode()},
    ],
)
def test_no_field_carries_a_phone_number(said, style, fields):
    stream = said(style)
    LOG.warning("to %s", PHONE, extra=fields)
    assert "0701020304" not in stream.getvalue()
    assert "07 01" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("style", ["json", "text"])
def test_tracebacks_are_masked_with_all_their_causes(said, style):
    stream = said(style, secrets=[KEY])

    database = sa.exc.IntegrityError("insert", {"n": NAME}, Exception(f"refused\nDETAIL: Key (n)=({NAME})"))
    database.add_note(f"while telling {PHONE}")

    def failing():
        try:
            raise database
        except sa.exc.IntegrityError as error:
            url = f"https://user:{KEY}@gateway/accounts/{PHONE}?key={KEY}"
            raise httpx.ConnectError(f"no answer to {url}") from error

    try:
        failing()
    except httpx.ConnectError as error:
        LOG.exception("failed", exc_info=ExceptionGroup("several", [error, ValueError(PHONE)]))
    text = stream.getvalue()
    assert "ConnectError" in text
    assert "IntegrityError" in text
    assert "in failing" in text
    for leak in (PHONE, NAME, KEY):
        assert leak not in text


def test_arguments_that_do_not_fit_are_not_printed(said, capsys):
    stream = said()

    class Hostile:
        def __str__(self):
            raise RuntimeError(PHONE)

    LOG.info("three %s %s %s", PHONE)  # noqa: PLE1206 - that is the point
    LOG.info("x", extra={"what": Hostile()})
    LOG.info(Hostile())
    assert len(stream.getvalue().splitlines()) == 3
    assert PHONE not in stream.getvalue() + "".join(capsys.readouterr())


def test_a_stream_that_cannot_be_written_to_ends_nothing_and_prints_nothing(capsys):
    class Full(io.StringIO):
        def write(self, _text):
            raise OSError(28, "No space left on device")

    to_standard_error(stream=Full())
    LOG.info("to %s", PHONE)
    assert capsys.readouterr().err == "a line of reconcile.test could not be logged\n"


def test_the_environment_goes_before_what_is_configured(said, monkeypatch):
    monkeypatch.setenv("RECONCILE_LOG_FORMAT", "json")
    monkeypatch.setenv("RECONCILE_LOG_LEVEL", "error")
    stream = said("text", level="info")
    LOG.warning("no")
    LOG.error("yes")
    assert json.loads(stream.getvalue())["event"] == "yes"


def test_the_web_server_and_warnings_go_the_same_way(said, monkeypatch):
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "level", logging.ERROR)
    stream = said()
    logging.getLogger("uvicorn.access").info('%s - "%s %s" %d', "127.0.0.1:5", "GET", f"/search?q={PHONE}", 200)
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events == ['127.0.0.1:5 - "GET /search?q=[number]" 200']


def test_a_thread_that_adopts_the_context_says_the_same_fields(said):
    stream = said()
    with context.about(job="dispatch_flow"):
        fields = context.current()

    def work():
        context.adopt(fields)
        LOG.info("sent")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert json.loads(stream.getvalue())["job"] == "dispatch_flow"


def test_airflow_is_given_finished_texts_without_arguments_and_tracebacks(caplog):
    to_airflow(secrets=[KEY])
    logging.getLogger().addHandler(caplog.handler)
    with caplog.at_level(logging.INFO):
        try:
            int(f"{PHONE} {KEY}")
        except ValueError:
            with context.about(feed="ocs"):
                LOG.exception("failed for %s", PHONE)
    (record,) = caplog.records
    assert record.getMessage().startswith("failed for [number] feed=ocs\nTraceback")
    assert (record.args, record.exc_info) == (None, None)
    assert PHONE not in record.getMessage()
    assert KEY not in record.getMessage()


def test_an_error_for_a_scheduler_is_masked():
    error = masked_error(ValueError(f"row of {PHONE}"))
    assert isinstance(error, MaskedError)
    assert str(error) == "ValueError: row of [number]"
