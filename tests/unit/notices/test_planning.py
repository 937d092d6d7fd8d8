import pytest

from reconcile.notices.planning import Contact

NUMBER, ADDRESS = "+2250707000011", "awa@example.ci"


def contact(payer=NUMBER, email=ADDRESS, prefers="sms"):
    return Contact(payer, None, email, prefers, opted_out=False)


@pytest.mark.parametrize(
    ("found", "route"),
    [
        (contact(), ("sms", NUMBER)),
        (contact(prefers="email"), ("email", ADDRESS)),
        (contact(email=None, prefers="email"), ("sms", NUMBER)),
        (contact(payer="player-77"), ("email", ADDRESS)),
        (contact(payer="+22507 07"), ("email", ADDRESS)),
        (contact(payer=None, email=None), ("sms", None)),
        (contact(payer="player-77", email=None, prefers="email"), ("email", None)),
    ],
)
def test_a_customer_is_reached_by_the_preferred_channel_that_has_an_address_else_by_the_other(found, route):
    assert found.route() == route
