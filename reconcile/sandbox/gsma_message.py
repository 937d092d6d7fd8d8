"""Bodies and headers of the GSMA Mobile Money API 1.2, as far as the sandbox speaks it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from reconcile.sandbox.credit import Credit, CreditRequest
from reconcile.sandbox.export import CURRENCY
from reconcile.sandbox.instants import to_iso
from reconcile.sandbox.phone import to_e164

POLL_LIMIT: Final = 10
AMOUNT_MAX_MINOR: Final = 10_000_000
KEY_LENGTH_MAX: Final = 128
TRANSACTION_TYPES: Final = frozenset(
    {"adjustment", "billpay", "deposit", "disbursement", "inttransfer", "merchantpay", "transfer", "withdrawal"}
)


class ApiError(Exception):
    """An answer that refuses: HTTP status, GSMA category and code, and why."""

    def __init__(self, status: int, category: str, code: str, reason: str) -> None:
        """Refuse with `status`."""
        super().__init__(reason)
        self.status = status
        self.category = category
        self.code = code
        self.reason = reason

    def body(self) -> dict[str, str]:
        """The GSMA error object."""
        return {"errorCategory": self.category, "errorCode": self.code, "errorDescription": self.reason}


def read_request(
    transaction_type: str, headers: Mapping[str, str], body: bytes, *, api_key: str | None
) -> CreditRequest:
    """The credit that a call asks for; raises ApiError when it is not a proper call."""
    _check_caller(headers, api_key)
    correlation_id = _header(headers, "x-correlationid")
    body_hash = hashlib.sha256(body).hexdigest()
    if _header(headers, "x-content-hash").lower() != body_hash:
        raise _malformed("X-Content-Hash is not the SHA-256 of the body")
    _header(headers, "x-date")
    if transaction_type not in TRANSACTION_TYPES:
        raise _malformed(f"{transaction_type!r} is no transaction type")
    wish = _object(body)
    if wish.get("currency") != CURRENCY:
        raise _malformed(f"the currency must be {CURRENCY}")
    return CreditRequest(
        correlation_id=correlation_id,
        body_hash=f"{transaction_type}:{body_hash}",
        transaction_type=transaction_type,
        account=_account(wish.get("creditParty")),
        amount_minor=_amount(wish.get("amount")),
        original_reference=_text(wish, "originalTransactionReference"),
        requesting_reference=_text(wish, "requestingOrganisationTransactionReference"),
        callback_url=headers.get("x-callback-url"),
    )


def request_state(credit: Credit) -> dict[str, object]:
    """The RequestState object."""
    return {
        "serverCorrelationId": credit.server_id,
        "status": credit.status,
        "notificationMethod": "callback" if credit.request.callback_url else "polling",
        "objectReference": credit.transaction_reference,
        "pollLimit": POLL_LIMIT,
    }


def transaction(credit: Credit) -> dict[str, object]:
    """The Transaction object."""
    request = credit.request
    shown: dict[str, object] = {
        "transactionReference": credit.transaction_reference,
        "transactionStatus": credit.status,
        "type": request.transaction_type,
        "amount": str(request.amount_minor),
        "currency": CURRENCY,
        "creditParty": [{"key": "msisdn", "value": request.account}],
    }
    if request.requesting_reference is not None:
        shown["requestingOrganisationTransactionReference"] = request.requesting_reference
    if request.original_reference is not None:
        shown["originalTransactionReference"] = request.original_reference
    if credit.posted_at is not None:
        shown["modificationDate"] = to_iso(credit.posted_at)
    return shown


def not_found(what: str) -> ApiError:
    """Nothing is known under that name, which may be a race."""
    return ApiError(404, "identification", "identifierError", f"no {what} is known under this id")


def duplicate() -> ApiError:
    """The id was seen before, which says nothing about success."""
    return ApiError(400, "businessRule", "duplicateRequest", "this X-CorrelationID was received before")


def conflict() -> ApiError:
    """The id was seen before, with another wish."""
    return ApiError(409, "businessRule", "duplicateRequest", "this X-CorrelationID was received with another body")


def check_caller(headers: Mapping[str, str], api_key: str | None) -> None:
    """Raise ApiError unless the caller names itself and holds the key."""
    _check_caller(headers, api_key)


def _check_caller(headers: Mapping[str, str], api_key: str | None) -> None:
    given = headers.get("x-api-key", "")
    if not given or not headers.get("x-client-id") or (api_key is not None and given != api_key):
        raise ApiError(401, "authorisation", "clientAuthorisationError", "X-API-Key and X-Client-Id are not accepted")


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not 0 < len(value) <= KEY_LENGTH_MAX:
        raise _malformed(f"header {name} is missing, or longer than {KEY_LENGTH_MAX} characters")
    return value


def _object(body: bytes) -> dict[str, object]:
    try:
        wish = json.loads(body)
    except ValueError:
        wish = None
    if not isinstance(wish, dict):
        raise _malformed("the body is no JSON object")
    return wish


def _amount(written: object) -> int:
    if not isinstance(written, str) or not written.isascii() or not written.isdigit():
        raise _malformed(f"the amount must be a string of digits: {CURRENCY} has no fractions")
    amount_minor = int(written) if len(written) <= len(str(AMOUNT_MAX_MINOR)) else 0
    if not 0 < amount_minor <= AMOUNT_MAX_MINOR:
        raise _malformed(f"the amount must lie from 1 to {AMOUNT_MAX_MINOR}")
    return amount_minor


def _account(parties: object) -> str:
    if isinstance(parties, list):
        for party in parties:
            if isinstance(party, dict) and party.get("key") == "msisdn":
                account = to_e164(str(party.get("value", "")))
                if account is not None:
                    return account
    raise ApiError(400, "identification", "identifierError", "creditParty names no msisdn of this country")


def _text(wish: Mapping[str, object], key: str) -> str | None:
    value = wish.get(key)
    if value is None or (isinstance(value, str) and len(value) <= KEY_LENGTH_MAX):
        return value or None
    raise _malformed(f"{key} must be a string of at most {KEY_LENGTH_MAX} characters")


def _malformed(reason: str) -> ApiError:
    return ApiError(400, "validation", "formatError", reason)
