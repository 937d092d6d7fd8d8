"""GSMA Mobile Money API 1.2 as a gateway of class A: it accepts our key and can be asked about it."""

import hashlib
import json
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import httpx
import stamina

from reconcile.config import Gateway as GatewaySection
from reconcile.domain.money import asset, to_decimal
from reconcile.remedy.gateway import Answer, Meaning, Order

CONNECT_TIMEOUT_SECONDS: Final = 2.0
ASK_ATTEMPTS: Final = 3
"""An ask changes nothing, so it is repeated on a silent wire; a send never is."""
ASK_WAIT_MAX_SECONDS: Final = 1.0
BODY_BYTES_MAX: Final = 64 * 1024
NAME_LENGTH_MAX: Final = 200
_NAME_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "-_./")
_MEANINGS: Final = {"completed": Meaning.COMPLETED, "pending": Meaning.ACCEPTED, "failed": Meaning.FAILED}


class GsmaGateway:
    """Safe to share between threads."""

    def __init__(self, section: GatewaySection, *, transport: httpx.BaseTransport | None = None) -> None:
        self._section = section
        self._client = httpx.Client(
            base_url=section.url.rstrip("/"),
            headers={"X-API-Key": section.api_key.read(), "X-Client-Id": section.client_id},
            timeout=httpx.Timeout(section.timeout.total_seconds(), connect=CONNECT_TIMEOUT_SECONDS),
            limits=httpx.Limits(max_connections=section.concurrency, max_keepalive_connections=section.concurrency),
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def available(self) -> bool:
        try:
            response = self._client.get("/heartbeat", headers=_headers())
            return response.status_code == 200 and _object(response).get("serviceStatus") == "available"
        except httpx.HTTPError:
            return False

    def payload(self, order: Order) -> bytes:
        body = {
            "amount": str(to_decimal(order.amount_minor, asset(order.asset))),
            "creditParty": [{"key": "msisdn", "value": order.account}],
            "currency": order.asset,
            "debitParty": [{"key": "accountid", "value": self._section.debit_account}],
            "requestingOrganisationTransactionReference": str(order.key),
        }
        if order.reference is not None:
            body["originalTransactionReference"] = order.reference
        return json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()

    def send(self, order: Order, payload: bytes) -> Answer:
        headers = _headers() | {
            "Content-Type": "application/json",
            "X-CorrelationID": str(order.key),
            "X-Content-Hash": hashlib.sha256(payload).hexdigest(),
        }
        try:
            response = self._client.post(
                f"/transactions/type/{self._section.transaction_type}", content=payload, headers=headers
            )
        except httpx.HTTPError as error:
            return Answer(Meaning.UNKNOWN, detail={"wire": type(error).__name__})
        body = _object(response)
        reference = _text(body, "serverCorrelationId")
        if response.status_code not in {200, 201, 202}:
            # A duplicate means "seen", a refusal may follow a success: neither proves that nothing was credited.
            return Answer(Meaning.UNKNOWN, response.status_code, reference, detail=_error(body))
        if body.get("status") in {"completed", "pending"} and reference is not None:
            # `completed` names no amount: it is believed once the transaction itself was read.
            return Answer(Meaning.ACCEPTED, response.status_code, reference, _text(body, "objectReference"))
        return Answer(Meaning.UNKNOWN, response.status_code, reference, detail=_error(body))

    def ask(self, order: Order, gateway_reference: str | None) -> Answer:
        try:
            if gateway_reference is not None:
                state = self._get(f"/requeststates/{gateway_reference}")
                body = _object(state)
                if state.status_code == 200 and body.get("status") == "failed":
                    return Answer(Meaning.FAILED, 200, gateway_reference, detail=_error(body))
                if state.status_code == 200 and body.get("status") == "pending":
                    return Answer(Meaning.ACCEPTED, 200, gateway_reference)
                transaction = _text(body, "objectReference")
                if state.status_code == 200 and body.get("status") == "completed" and transaction is not None:
                    return self._transaction(order, f"/transactions/{transaction}", gateway_reference)
            return self._by_our_key(order, gateway_reference)
        except httpx.HTTPError as error:
            return Answer(Meaning.UNKNOWN, None, gateway_reference, detail={"wire": type(error).__name__})

    def _by_our_key(self, order: Order, gateway_reference: str | None) -> Answer:
        response = self._get(f"/responses/{order.key}")
        if response.status_code == 404:
            return Answer(Meaning.NOT_FOUND, 404, gateway_reference)
        link = _text(_object(response), "link")
        if response.status_code != 200 or link is None:
            return Answer(Meaning.UNKNOWN, response.status_code, gateway_reference, detail=_error(_object(response)))
        if not link.startswith("/transactions/"):
            return Answer(
                Meaning.UNKNOWN, 200, gateway_reference, detail={"link": "to something else than a transaction"}
            )
        return self._transaction(order, link, gateway_reference)

    def _transaction(self, order: Order, path: str, gateway_reference: str | None) -> Answer:
        response = self._get(path)
        body = _object(response)
        if response.status_code != 200:
            return Answer(Meaning.UNKNOWN, response.status_code, gateway_reference, detail=_error(body))
        differing = _difference(order, body)
        reference = _text(body, "transactionReference")
        if differing is not None:
            return Answer(Meaning.UNKNOWN, 200, gateway_reference, reference, {"differs": differing})
        word = str(body.get("transactionStatus", ""))
        mapped = self._section.statuses.get(word)
        meaning = _MEANINGS[mapped] if mapped is not None else Meaning.UNKNOWN
        return Answer(meaning, 200, gateway_reference, reference, {"transactionStatus": word[:40]})

    def _get(self, path: str) -> httpx.Response:
        for attempt in stamina.retry_context(
            on=httpx.TransportError,
            attempts=ASK_ATTEMPTS,
            timeout=None,
            wait_initial=0.1,
            wait_max=ASK_WAIT_MAX_SECONDS,
        ):
            with attempt:
                return self._client.get(path, headers=_headers())
        raise AssertionError("stamina ends by returning or by raising")


def _headers() -> dict[str, str]:
    return {"X-Date": datetime.now(UTC).isoformat(timespec="milliseconds")}


def _object(response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of a reply; empty when it is none, cut off, or larger than any honest reply."""
    if len(response.content) > BODY_BYTES_MAX:
        return {}
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: Mapping[str, Any], key: str) -> str | None:
    """A name that the gateway gave something; only what can stand in a path, and not lead out of it, is believed."""
    value = body.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LENGTH_MAX:
        return None
    return None if set(value) - _NAME_CHARACTERS or ".." in value else value


def _error(body: Mapping[str, Any]) -> dict[str, str | int]:
    """The codes of an error, never its description: that may repeat a phone number."""
    error = body.get("error") if isinstance(body.get("error"), dict) else body
    assert error is not None
    return {key: str(error[key])[:60] for key in ("status", "errorCategory", "errorCode") if key in error}


def _difference(order: Order, body: Mapping[str, Any]) -> str | None:
    """Which of amount, currency, payee is not the order's; None when all are."""
    try:
        amount = Decimal(str(body.get("amount")))
    except InvalidOperation:
        return "amount"
    if amount != to_decimal(order.amount_minor, asset(order.asset)):
        return "amount"
    if body.get("currency") != order.asset:
        return "currency"
    parties = body.get("creditParty")
    payees = [party.get("value") for party in parties if isinstance(party, dict)] if isinstance(parties, list) else []
    return None if payees == [order.account] else "payee"
