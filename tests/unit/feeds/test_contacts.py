import pytest

from reconcile.feeds.contacts import Contacts

from .conftest import row

CELLS = {"account": "0707123456", "language": "FR", "email": "awa@example.ci", "channel": "SMS", "opted_out": "oui"}


@pytest.fixture
def read(configured):
    def read(**cells):
        (draft,) = Contacts(configured(side="directory").feeds[0]).read([row(**{**CELLS, **cells})])
        return draft

    return read


def test_a_row_is_read_in_the_forms_in_which_it_is_kept(read):
    assert read().found == {
        "row_key": "+2250707123456",
        "account": "+2250707123456",
        "language": "fr",
        "email": "awa@example.ci",
        "channel": "sms",
        "opted_out": True,
    }


def test_who_says_nothing_has_not_opted_out_and_who_says_something_odd_is_asked_again(read):
    assert read(opted_out="").found["opted_out"] is False
    odd = read(opted_out="peut-etre")
    assert odd.found["opted_out"] is None
    assert odd.problems == {"opted_out": "'peut-etre' is neither yes nor no"}
