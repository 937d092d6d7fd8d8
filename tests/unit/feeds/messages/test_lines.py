import io
import json

import pytest

from reconcile.feeds.messages.lines import MAX_LINE_BYTES, LineError, parse_stream

BOUGHT = (
    "Vous avez achete 1050 FCFA d'unites pour le 0707123456. Frais: 0 FCFA. Nouveau solde: 12340 FCFA. "
    "ID Trans: RC240709.1345.A00011."
)


def line(identity: str, text: str, **more: str) -> bytes:
    return json.dumps({"id": identity, "text": text, **more}).encode() + b"\n"


def parsed(data: bytes, **options: int) -> list[dict[str, object]]:
    sink = io.StringIO()
    parse_stream(io.BytesIO(data), sink, **options)  # type: ignore[arg-type]  # the options of a test are all numbers
    return [json.loads(written) for written in sink.getvalue().splitlines()]


def test_a_line_holds_every_field_with_amounts_as_text_and_accounts_in_international_form() -> None:
    assert parsed(line("m1", BOUGHT, country="CI", sender="MaxIt", received_at="2024-07-09T13:45:02Z")) == [
        {
            "id": "m1",
            "status": "parsed",
            "template": "orange-airtime-fr",
            "kind": "airtime",
            "outcome": "success",
            "amount": "1050",
            "currency": "XOF",
            "fee": "0",
            "balance": "12340",
            "reference": "RC240709.1345.A00011",
            "account": "+2250707123456",
            "payer": None,
            "occurred_at": "2024-07-09T13:45:00+00:00",
            "confidence": "high",
        }
    ]


def test_each_input_gives_one_output_in_its_order_and_blank_lines_give_none() -> None:
    data = line("b", "Bonjour") + b"\n" + line("a", BOUGHT, country="CI") + line("c", "")

    assert [row["id"] for row in parsed(data)] == ["b", "a", "c"]


def test_without_a_country_francs_have_no_currency_and_so_no_amount() -> None:
    (row,) = parsed(line("m1", BOUGHT))

    assert (row["amount"], row["currency"]) == (None, None)


def test_an_ambiguous_message_keeps_its_readings_side_by_side() -> None:
    text = (
        "Your payment of GHS 4.00 to MTN AIRTIME has been completed at 2026-01-02 08:00:01. Your new balance: GHS 90.00. "
        "Financial Transaction Id: 70000000001. Cash Out made for GHS25.00 to KOJO SHOP. Current Balance: GHS65.00 "
        "Financial Transaction Id: 70000000002."
    )

    (row,) = parsed(line("m1", text, country="GH"))

    assert (row["status"], row["amount"]) == ("ambiguous", None)
    assert [other["amount"] for other in row["alternatives"]] == ["4.00", "25.00"]  # type: ignore[attr-defined]


def test_many_lines_are_read_by_several_processes_in_order() -> None:
    count = 90
    data = b"".join(line(str(number), BOUGHT, country="CI") for number in range(count))
    seen: list[int] = []
    sink = io.StringIO()

    done = parse_stream(io.BytesIO(data), sink, processes=2, batch_lines=20, progress=seen.append)

    assert done == count
    assert seen == [20, 40, 60, 80, 90]
    assert [json.loads(written)["id"] for written in sink.getvalue().splitlines()] == [str(n) for n in range(count)]


def test_long_lines_make_short_batches() -> None:
    data = b"".join(line(str(number), "x" * (MAX_LINE_BYTES - 100)) for number in range(20))
    seen: list[int] = []

    parse_stream(io.BytesIO(data), io.StringIO(), processes=1, progress=seen.append)

    assert seen == [9, 18, 20]


@pytest.mark.parametrize("processes", [1, 2])
def test_what_stands_before_a_bad_line_is_written(processes: int) -> None:
    good = [line(str(number), BOUGHT, country="CI") for number in range(90)]
    sink = io.StringIO()

    with pytest.raises(LineError, match="line 86: not JSON"):
        parse_stream(io.BytesIO(b"".join([*good[:85], b"{", *good[85:]])), sink, processes=processes, batch_lines=20)

    assert len(sink.getvalue().splitlines()) == 85


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (b"{nonsense\n", "line 2: not JSON"),
        (b'["id"]\n', "line 2: expected an object with id and text, found a list"),
        (b'{"id": "1"}\n', "line 2: expected a text under 'text', found nothing"),
        (b'{"id": 1, "text": ""}\n', "line 2: expected a text under 'id', found a int"),
        (b'{"id": "1", "text": "", "country": 225}\n', "line 2: expected a text or null under 'country', found a int"),
        (b'{"id": "1", "text": "", "received_at": "soon"}\n', "line 2: 'received_at' is not an ISO 8601 time: 'soon'"),
        (b'{"id": "1", "text": "\xff"}\n', "line 2: not JSON"),
        (b'"' + b"x" * MAX_LINE_BYTES + b'"\n', "line 2: longer than"),
    ],
)
def test_a_line_that_is_no_message_is_named(bad: bytes, complaint: str) -> None:
    with pytest.raises(LineError, match=complaint):
        parsed(line("1", "Bonjour") + bad)
