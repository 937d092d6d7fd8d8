from decimal import Decimal

from reconcile.feeds.messages import Catalogue, Message
from reconcile.feeds.messages.markup import MAX_MARKUP_CHARACTERS, is_markup, text_of

RECEIPT = """\
<html><head><title>Receipt 99</title><style>p { width: 500px }</style></head><body>
<p>Hello Ms Tremblay,</p><p>Your purchase is <b>confirmed</b>.</p>
<table><tr><td>Transaction number</td><td>LQ-2024-55012</td></tr>
<tr><td>Amount:</td><td>$24.00&nbsp;CAD</td></tr><tr><td>Balance:</td><td>$76.50 CAD</td></tr></table>
<!-- $999.00 --><p>Play within your limits &amp; have fun.<br>Win up to $1,000,000!</p></body></html>
"""


def test_a_mail_in_html_becomes_the_lines_that_its_reader_sees() -> None:
    lines = [" ".join(line.split()) for line in text_of(RECEIPT).splitlines() if line.strip()]

    assert lines == [
        "Hello Ms Tremblay,",
        "Your purchase is confirmed.",
        "Transaction number LQ-2024-55012",
        "Amount: $24.00 CAD",
        "Balance: $76.50 CAD",
        "Play within your limits & have fun.",
        "Win up to $1,000,000!",
    ]


def test_a_receipt_by_mail_is_read_like_any_message() -> None:
    reading = Catalogue.load().read(Message("1", RECEIPT, country="CA"))

    assert (reading.status, reading.outcome) == ("parsed", "success")
    assert (reading.amount, reading.currency, reading.balance) == (Decimal("24.00"), "CAD", Decimal("76.50"))
    assert reading.reference == "LQ-2024-55012"


def test_what_only_looks_like_a_tag_is_left_alone() -> None:
    assert not is_markup("<#> Your code is 1234")
    assert not is_markup("Balance <3 GHS")


def test_endless_markup_is_not_read() -> None:
    text = "<p>" * MAX_MARKUP_CHARACTERS + "</p>"

    assert Catalogue(()).read(Message("1", text)).status == "unparsed"
