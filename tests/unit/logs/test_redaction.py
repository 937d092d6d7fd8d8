"""What may never stand in a line: hostile values first, then what must stay readable."""

from base64 import b64encode

import httpx
import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from reconcile.logs.redaction import TEXT_CHARACTERS_MAX, Redactor

SECRET = "p/ss w'rd&1+x"


@pytest.mark.parametrize(
    "text",
    [
        "2250701020304",
        "+225 07 01 02 03 04",
        "00225-07-01-02-03-04",
        "(225) 07.01.02.03.04",
        "20 24 07 09",
        "20240709",
        "account=2250701020304",
        "https://gateway/accounts/msisdn/2250701020304/balance",
        "https://gateway/?to=%2B2250701020304",
        "\u0660\u0667\u0660\u0661\u0660\u0662\u0660\u0663",
        "\uff10\uff17\uff10\uff11\uff10\uff12\uff10\uff13",
        "07\u200b01\u200b02\u200b03\u200b04",
        "07\u00a001\u202f02 03\t04",
        "0701020304,0701020305",
        "x0701020304y",
        "2024-07-0912345678",
    ],
)
def test_whatever_looks_like_a_phone_number_is_masked(text):
    masked = Redactor()(f"before {text} after")
    assert "[number]" in masked
    assert sum(character.isdigit() for character in masked) < 8
    assert masked.startswith("before ")
    assert masked.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "0190a4f2-1234-5678-9abc-123456789012",
        "2024-07-09",
        "2024-07-09T13:45:00.123456+00:00",
        "2024-07-09 13:45:00,123",
        "127.0.0.1:8080 answered 503 after 5000 ms",
        'File "reconcile/feeds/inbox.py", line 120, in list',
        "1,250,000 rows",
        "a secret is missing: the environment variable GATEWAY_KEY is not set or empty",
    ],
)
def test_ids_instants_counts_and_places_stay_readable(text):
    assert Redactor()(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"the key {SECRET} was refused",
        f"https://host/?q={httpx.QueryParams({'key': SECRET})}",
        f"{[SECRET]!r}",
        f"Authorization: Basic {b64encode(SECRET.encode()).decode()}",
    ],
)
def test_a_configured_secret_is_masked_in_each_usual_form(text):
    masked = Redactor([SECRET])(text)
    assert "[secret]" in masked
    assert "ss w" not in masked
    assert "ss+w" not in masked
    assert "cC9zcyB3" not in masked


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("postgresql://reconcile:hunter2@db.internal/x", "hunter2"),
        ("smtp password=hunter2 refused", "hunter2"),
        ("{'api_key': 'hunter2', 'x': 1}", "hunter2"),
        ("Authorization: Bearer abc.def.ghi", "abc.def"),
        ("https://hooks/x?token=hunter2&y=1", "hunter2"),
        ("mail to awa.kone@example.ci bounced", "awa.kone"),
        ("RCPT TO:<awa@example.ci>", "awa"),
    ],
)
def test_addresses_and_what_is_called_a_secret_are_masked(text, leak):
    assert leak not in Redactor()(text)


def test_what_a_library_quotes_of_its_input_is_hidden():
    class Row(BaseModel):
        amount: int

    with pytest.raises(ValidationError) as refused:
        Row(amount="Awa, rappelle-moi, input_type= ce soir")
    assert "Awa" not in Redactor()(str(refused.value))
    wrong = sa.exc.StatementError("wrong", "insert into t values (%(n)s)", {"n": "Awa Kone"}, ValueError("wrong"))
    assert "Awa" in str(wrong)
    assert "Awa" not in Redactor()(str(wrong))
    detail = 'duplicate key value violates "uq"\nDETAIL:  Key (name)=(Awa Kone) already exists.'
    assert "Awa" not in Redactor()(detail)


@pytest.mark.timeout(60)  # a quadratic pattern would need many minutes
@pytest.mark.parametrize("piece", ["0", "a", "a@", "://", "input_value=", "token=", "1-", " ", "DETAIL: "])
def test_no_text_takes_long(piece):
    masked = Redactor([SECRET])(piece * TEXT_CHARACTERS_MAX * 10)
    assert "characters left out" in masked


def test_a_long_text_keeps_its_beginning_and_its_end():
    masked = Redactor()("begin" + "x" * 10 * TEXT_CHARACTERS_MAX + "end")
    assert len(masked) < TEXT_CHARACTERS_MAX + 100
    assert masked.startswith("begin")
    assert masked.endswith("end")
