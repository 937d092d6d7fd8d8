"""What each answer of a GSMA gateway proves. (The same client meets the sandbox's real HTTP in tests/integration/remedy.)"""

import json
from uuid import UUID

import httpx
import pytest
import stamina

from reconcile.config import Gateway
from reconcile.remedy.gateway import Meaning, Order
from reconcile.remedy.gsma import GsmaGateway

KEY = UUID("00000000-0000-5000-8000-000000000001")
ORDER = Order(key=KEY, account="+2250707123456", asset="XOF", amount_minor=1050, reference="RC240709.1345.A00011")
TRANSACTION = {
    "transactionReference": "T1",
    "transactionStatus": "completed",
    "amount": "1050.00",
    "currency": "XOF",
    "creditParty": [{"key": "msisdn", "value": "+2250707123456"}],
}
STATE = {"serverCorrelationId": "S1", "status": "completed", "objectReference": "T1"}


@pytest.fixture(autouse=True)
def _no_waiting():
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


@pytest.fixture
def gateway(monkeypatch):
    monkeypatch.setenv("KEY", "k")
    opened = []

    def make(handler):
        section = Gateway(url="http://gateway.test", api_key={"env": "KEY"})
        opened.append(GsmaGateway(section, transport=httpx.MockTransport(handler)))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


def answering(status, body):
    return lambda _request: httpx.Response(status, json=body)


def silent(_request):
    raise httpx.ReadTimeout("silence")


def test_the_same_order_gives_the_same_bytes(gateway):
    client = gateway(silent)
    assert client.payload(ORDER) == client.payload(ORDER)
    assert json.loads(client.payload(ORDER))["amount"] == "1050"


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (202, STATE | {"status": "pending"}, Meaning.ACCEPTED),
        (202, STATE, Meaning.ACCEPTED),  # it names no amount: believed only once the transaction was read
        (202, STATE | {"status": "failed"}, Meaning.UNKNOWN),
        (202, STATE | {"status": "sleeping"}, Meaning.UNKNOWN),
        (202, {"status": "completed"}, Meaning.UNKNOWN),
        (200, {"error": {"errorCode": "genericError"}}, Meaning.UNKNOWN),
        (400, {"errorCategory": "businessRule", "errorCode": "duplicateRequest"}, Meaning.UNKNOWN),
        (409, {"errorCode": "RESOURCE_ALREADY_EXIST"}, Meaning.UNKNOWN),
        (500, {}, Meaning.UNKNOWN),
        (503, [], Meaning.UNKNOWN),
    ],
)
def test_a_reply_to_a_send_never_proves_more_than_it_says(gateway, status, body, meaning):
    client = gateway(answering(status, body))
    assert client.send(ORDER, client.payload(ORDER)).meaning is meaning


def test_silence_cut_json_and_a_reset_are_unknown(gateway):
    client = gateway(silent)
    assert client.send(ORDER, b"{}").meaning is Meaning.UNKNOWN
    client = gateway(lambda _request: httpx.Response(202, content=b'{"status": "comp'))
    assert client.send(ORDER, b"{}").meaning is Meaning.UNKNOWN


@pytest.mark.parametrize(
    ("change", "meaning"),
    [
        ({}, Meaning.COMPLETED),
        ({"amount": "1050"}, Meaning.COMPLETED),
        ({"amount": "1051"}, Meaning.UNKNOWN),
        ({"amount": None}, Meaning.UNKNOWN),
        ({"currency": "XAF"}, Meaning.UNKNOWN),
        ({"creditParty": [{"key": "msisdn", "value": "+2250707000000"}]}, Meaning.UNKNOWN),
        ({"creditParty": []}, Meaning.UNKNOWN),
        ({"transactionStatus": "pending"}, Meaning.ACCEPTED),
        ({"transactionStatus": "failed"}, Meaning.FAILED),
        ({"transactionStatus": "Finished!"}, Meaning.UNKNOWN),
    ],
)
def test_only_our_amount_to_our_payee_counts_as_completed(gateway, change, meaning):
    def handler(request):
        body = STATE if request.url.path.startswith("/requeststates/") else TRANSACTION | change
        return httpx.Response(200, json=body)

    assert gateway(handler).ask(ORDER, "S1").meaning is meaning


def test_without_its_reference_the_gateway_is_asked_by_our_key(gateway):
    seen = []

    def handler(request):
        seen.append(request.url.path)
        if request.url.path == f"/responses/{KEY}":
            return httpx.Response(200, json={"link": "/transactions/T1"})
        return httpx.Response(200, json=TRANSACTION)

    assert gateway(handler).ask(ORDER, None).meaning is Meaning.COMPLETED
    assert seen == [f"/responses/{KEY}", "/transactions/T1"]


@pytest.mark.parametrize(
    ("handler", "meaning"),
    [
        (answering(404, {}), Meaning.NOT_FOUND),
        (answering(200, {"link": "/errors/7"}), Meaning.UNKNOWN),
        (answering(200, {"link": "/transactions/../../admin?x=1"}), Meaning.UNKNOWN),
        (answering(500, {}), Meaning.UNKNOWN),
        (silent, Meaning.UNKNOWN),
    ],
)
def test_an_ask_without_a_clear_answer_leaves_it_open(gateway, handler, meaning):
    assert gateway(handler).ask(ORDER, None).meaning is meaning


def test_a_request_state_that_failed_is_proof(gateway):
    assert gateway(answering(200, STATE | {"status": "failed"})).ask(ORDER, "S1").meaning is Meaning.FAILED


@pytest.mark.parametrize(
    ("handler", "available"),
    [
        (answering(200, {"serviceStatus": "available"}), True),
        (answering(200, {"serviceStatus": "degraded"}), False),
        (answering(503, {}), False),
        (silent, False),
    ],
)
def test_only_an_available_gateway_is_sent_work(gateway, handler, available):
    assert gateway(handler).available() is available


def test_no_answer_carries_a_phone_number(gateway):
    body = {"errorCategory": "validation", "errorCode": "formatError", "errorDescription": "bad +2250707123456"}
    answer = gateway(answering(400, body)).send(ORDER, b"{}")
    assert "0707123456" not in str(answer)
