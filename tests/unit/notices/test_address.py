import pytest

from reconcile.notices.address import is_mailbox, is_number


@pytest.mark.parametrize("text", ["+2250707123456", "+33612345678"])
def test_a_number_is_e164(text):
    assert is_number(text)


@pytest.mark.parametrize(
    "text", ["", "0707123456", "+0707123456", "+225 0707123456", "+2250707123456\n", "player-77", "+٢٢٥٠٧٠٧"]
)
def test_anything_else_is_no_number(text):
    assert not is_number(text)


@pytest.mark.parametrize("text", ["awa@example.ci", "a.b+c_d-e'f@mail.example.ci", "x{}|~@example.ci"])
def test_a_mailbox_is_what_any_mail_server_takes(text):
    assert is_mailbox(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "awa", "awa@", "@example.ci", "a@b@example.ci", "awa@example.ci\r\nBcc: b@example.ci", "awa @example.ci",
        "<awa@example.ci>", "awa,b@example.ci", "awá@example.ci", "awa@éxample.ci", '"awa"@example.ci', "a" * 65 + "@b.ci",
    ],
)  # fmt: skip
def test_anything_else_is_no_mailbox(text):
    assert not is_mailbox(text)
