import pytest
import sqlalchemy as sa

from reconcile.feeds.sql.reason import reason_of

URL = sa.make_url("postgresql://teller:hush@db.charging.example:6432/till?sslcert=/etc/secret.pem")


class DriverError(Exception):
    pgcode = None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            'connection to server at "db.charging.example" (10.20.30.40), port 6432 failed: Connection refused\n\tIs the server',
            'connection to server at "…" …, port … failed: Connection refused',
        ),
        ('connection to server at "fd00::12" failed: timeout expired', "connection to server at … failed: timeout expired"),
        ('FATAL:  password authentication failed for user "teller"', "password authentication failed for user …"),
        ('database "till" does not exist', "database … does not exist"),
        ('column "posted" does not exist', 'column "posted" does not exist'),
        ('could not open certificate file "/etc/secret.pem"', "could not open certificate file …"),
        ("Incorrect value: '+2250707123456' for column 'msisdn'", "Incorrect value: … for column 'msisdn'"),
        ("no account 0707123456", "no account …"),
    ],
)  # fmt: skip
def test_the_drivers_first_line_is_shown_without_what_is_nobodys_business(said, shown):
    reason = reason_of(DriverError(said), URL)
    for part in shown.split("…"):
        assert part.strip(' "') in reason
    for secret in ("charging", "10.20", "6432", "teller", "till", "secret", "0707", "fd00", "Is the server"):
        assert secret not in reason.replace("failed: timeout", "")


def test_an_error_about_a_value_shows_its_name_alone():
    class InvalidTextError(Exception):
        pgcode = "22P02"

    error = sa.exc.DataError("SELECT", {}, InvalidTextError('invalid input: "Awa Traore"'))
    assert reason_of(error, URL) == "InvalidTextError (22P02)"


def test_words_that_hold_a_short_secret_stay_words():
    assert reason_of(DriverError("invalid id"), sa.make_url("postgresql://id@h/in")) == "DriverError: invalid …"


def test_the_words_are_shown_that_stand_beside_a_number():
    said = reason_of(DriverError(1054, "Unknown column 'posted' in 'field list'"), URL)
    assert said == "DriverError: Unknown column 'posted' in …"
