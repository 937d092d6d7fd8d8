import hashlib
import json

import pytest

from reconcile.sandbox.gsma_message import ApiError, read_request

WISH = {
    "amount": "1050",
    "currency": "XOF",
    "debitParty": [{"key": "accountid", "value": "adjustments"}],
    "creditParty": [{"key": "msisdn", "value": "+2250707123456"}],
    "requestingOrganisationTransactionReference": "attempt-1",
    "originalTransactionReference": "RC240709.1347.A00011",
}


def read(wish: object, *, transaction_type: str = "adjustment", api_key: str | None = None, **headers: str):
    body = wish if isinstance(wish, bytes) else json.dumps(wish).encode()
    given = {
        "x-api-key": "key",
        "x-client-id": "reconcile",
        "x-correlationid": "attempt-1",
        "x-date": "2024-07-09T14:48:00Z",
        "x-content-hash": hashlib.sha256(body).hexdigest(),
    }
    return read_request(transaction_type, given | headers, body, api_key=api_key)


def test_a_proper_call_is_read():
    request = read(WISH)
    assert (request.account, request.amount_minor) == ("+2250707123456", 1050)
    assert request.original_reference == "RC240709.1347.A00011"
    assert request.requesting_reference == request.correlation_id == "attempt-1"


def test_the_hash_tells_apart_both_bodies_and_types():
    hashes = {read(WISH).body_hash, read(WISH | {"amount": "1051"}).body_hash}
    assert len(hashes | {read(WISH, transaction_type="deposit").body_hash}) == 3


@pytest.mark.parametrize("amount", ["0", "-5", "1050.00", "1e3", "", 1050, None, "9" * 30, "\u0661\u0660"])
def test_an_amount_that_is_none_is_refused(amount: object):
    with pytest.raises(ApiError) as refused:
        read(WISH | {"amount": amount})
    assert (refused.value.status, refused.value.category) == (400, "validation")


@pytest.mark.parametrize("parties", [None, [], [{"key": "msisdn", "value": "33612345678"}], [{"key": "email"}], "x"])
def test_an_account_elsewhere_is_refused(parties: object):
    with pytest.raises(ApiError) as refused:
        read(WISH | {"creditParty": parties})
    assert refused.value.category == "identification"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes):
    with pytest.raises(ApiError, match="no JSON object"):
        read(body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-api-key": ""}, 401),
        ({"x-client-id": ""}, 401),
        ({"x-correlationid": ""}, 400),
        ({"x-correlationid": "x" * 129}, 400),
        ({"x-content-hash": "0" * 64}, 400),
        ({"x-date": ""}, 400),
    ],
)
def test_a_call_without_its_headers_is_refused(headers: dict[str, str], status: int):
    with pytest.raises(ApiError) as refused:
        read(WISH, **headers)
    assert refused.value.status == status


def test_the_key_is_compared_where_one_is_set():
    assert read(WISH, api_key="key").amount_minor == 1050
    with pytest.raises(ApiError):
        read(WISH, api_key="another")


def test_another_currency_or_type_is_refused():
    with pytest.raises(ApiError, match="currency"):
        read(WISH | {"currency": "XAF"})
    with pytest.raises(ApiError, match="transaction type"):
        read(WISH, transaction_type="gift")
