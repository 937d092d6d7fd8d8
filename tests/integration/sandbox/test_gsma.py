import asyncio
import hashlib
import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from reconcile.sandbox.world import make_world

PURCHASE = make_world(1, 400).purchases[0]
WISH = {
    "amount": str(PURCHASE.amount_minor),
    "currency": "XOF",
    "debitParty": [{"key": "accountid", "value": "adjustments"}],
    "creditParty": [{"key": "msisdn", "value": PURCHASE.account}],
    "requestingOrganisationTransactionReference": "attempt-1",
    "originalTransactionReference": PURCHASE.reference,
}


def call(correlation_id: str, wish: dict = WISH, **headers: str) -> dict:
    """What httpx needs to submit a wish."""
    body = json.dumps(wish).encode()
    fixed = {"X-CorrelationID": correlation_id, "X-Content-Hash": hashlib.sha256(body).hexdigest()}
    return {"url": "/transactions/type/adjustment", "content": body, "headers": fixed | headers}


def made(sandbox) -> int:
    return sandbox.control.get("/books").json()["credits_by_us"]


def test_a_credit_is_made_and_can_be_asked_about_in_every_way(sandbox):
    assert sandbox.gsma.get("/heartbeat").json() == {"serviceStatus": "available"}
    answer = sandbox.gsma.post(**call("attempt-1"))
    state = answer.json()
    assert (answer.status_code, state["status"], state["notificationMethod"]) == (202, "completed", "polling")
    assert sandbox.gsma.get(f"/requeststates/{state['serverCorrelationId']}").json() == state
    link = sandbox.gsma.get("/responses/attempt-1").json()["link"]
    assert link == f"/transactions/{state['objectReference']}"
    transaction = sandbox.gsma.get(link).json()
    assert transaction["transactionStatus"] == "completed"
    assert transaction["amount"] == WISH["amount"]
    assert transaction["requestingOrganisationTransactionReference"] == "attempt-1"


def test_one_id_credits_once_however_often_and_at_once_it_is_sent(sandbox):
    async def submit_all() -> list[int]:
        async with httpx.AsyncClient(base_url=sandbox.gsma.base_url, headers=sandbox.gsma.headers) as client:
            answers = await asyncio.gather(*(client.post(**call("attempt-1")) for _ in range(30)))
        return sorted(answer.status_code for answer in answers)

    assert asyncio.run(submit_all()) == [202] + [400] * 29
    assert made(sandbox) == 1
    sandbox.restart_after_kill()
    again = sandbox.gsma.post(**call("attempt-1"))
    assert (again.status_code, again.json()["errorCode"]) == (400, "duplicateRequest")
    assert sandbox.gsma.post(**call("attempt-1", WISH | {"amount": "5"})).status_code == 409
    assert made(sandbox) == 1


def test_what_nobody_knows_is_not_found(sandbox):
    for path in ("/responses/nobody", "/requeststates/nobody", "/transactions/nobody"):
        answer = sandbox.gsma.get(path)
        assert (answer.status_code, answer.json()["errorCode"]) == (404, "identifierError")


def test_a_body_beyond_its_limit_is_refused(sandbox):
    assert sandbox.gsma.post(**call("attempt-1", WISH | {"x": "y" * 20_000})).status_code == 413


@pytest.mark.parametrize(("fault", "credited"), [("reply_lost", 1), ("request_lost", 0)])
def test_a_dropped_line_tells_nothing_about_the_credit(sandbox, fault: str, credited: int):
    sandbox.control.post("/faults", json={fault: 1})
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.gsma.post(**call("attempt-1"))
    assert made(sandbox) == credited
    assert sandbox.gsma.get("/responses/attempt-1").status_code == (200 if credited else 404)
    sandbox.control.post("/faults", json={fault: 0})
    assert sandbox.gsma.post(**call("attempt-1")).status_code == (400 if credited else 202)
    assert made(sandbox) == 1


@pytest.mark.parametrize(("fault", "status"), [("error_after_success", 500), ("duplicate_400", 400)])
def test_an_answer_that_sounds_like_failure_may_follow_a_success(sandbox, fault: str, status: int):
    sandbox.control.post("/faults", json={fault: 1})
    assert sandbox.gsma.post(**call("attempt-1")).status_code == status
    link = sandbox.gsma.get("/responses/attempt-1").json()["link"]
    assert sandbox.gsma.get(link).json()["transactionStatus"] == "completed"
    assert made(sandbox) == 1


def test_a_pending_credit_completes_when_polled_and_survives_a_kill(sandbox):
    sandbox.control.post("/faults", json={"pending_then_completed": 1})
    state = sandbox.gsma.post(**call("attempt-1")).json()
    assert (state["status"], made(sandbox)) == ("pending", 0)
    sandbox.restart_after_kill()
    path = f"/requeststates/{state['serverCorrelationId']}"
    assert [sandbox.gsma.get(path).json()["status"] for _ in range(3)] == ["pending", "completed", "completed"]
    assert made(sandbox) == 1


def test_a_slow_answer_comes_after_the_credit(sandbox):
    sandbox.control.post("/faults", json={"slow": 1, "slow_seconds": 60})
    with pytest.raises(httpx.ReadTimeout):
        sandbox.gsma.post(**call("attempt-1"), timeout=1)
    assert made(sandbox) == 1


def test_it_does_not_wait_with_stopping_for_an_answer_that_is_slow_on_purpose(sandbox):
    sandbox.control.post("/faults", json={"slow": 1, "slow_seconds": 60})
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(sandbox.gsma.post, **call("attempt-1"))
        while made(sandbox) == 0:
            pass
        sandbox.process.send_signal(signal.SIGTERM)
        sandbox.process.communicate(timeout=20)
        assert answer.exception() is not None or answer.result().status_code == 500
    assert sandbox.process.returncode == 0


def test_faults_stay_as_they_were_set_over_a_kill(sandbox):
    sandbox.control.post("/faults", json={"slow": 0.25})
    sandbox.restart_after_kill()
    assert sandbox.control.get("/faults").json()["slow"] == 0.25
    assert sandbox.control.post("/faults", json={"gremlin": 1}).status_code == 400


def test_a_caller_who_leaves_an_address_is_called_back(sandbox):
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/callback"
        state = sandbox.gsma.post(**call("attempt-1", **{"X-Callback-URL": address})).json()
        thread.join(timeout=20)
    assert state["notificationMethod"] == "callback"
    assert heard[0]["transactionReference"] == state["objectReference"]
