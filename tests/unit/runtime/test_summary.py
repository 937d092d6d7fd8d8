import io

import pytest
from rich.console import Console

from reconcile.runtime import summary
from reconcile.runtime.terminal import Terminal

GOOD = {
    "purchases": 20_000,
    "wronged": 768,
    "whole": 768,
    "paid_twice_by_us": 0,
    "wrongly_paid": 0,
    "untrue_notices": 0,
    "landed_after_we_paid": 2,
    "duplicate_notices": 0,
    "broken_promises": 0,
    "notices": {"not_arrived": {"sms": 598, "email": 142}, "still_not_arrived": {"sms": 0, "email": 0}},
    "minutes_to_whole": {"p50": 40.6, "p99": 278.9, "worst": 517.2},
    "naive": {"not_whole": 4, "paid_twice": 33, "wrongly_paid": 628},
}


def test_a_day_is_good_when_all_are_whole_and_nobody_was_paid_or_told_wrongly() -> None:
    assert summary.is_good(GOOD)


@pytest.mark.parametrize("wrong", [{"whole": 767}, {"paid_twice_by_us": 1}, {"wrongly_paid": 1}, {"untrue_notices": 1}])
def test_one_customer_is_enough_for_a_day_that_is_not_good(wrong: dict[str, int]) -> None:
    assert not summary.is_good(GOOD | wrong)


def test_the_headline_sets_our_figures_beside_those_of_the_plain_way() -> None:
    text = "\n".join(line.text for line in summary.headline(GOOD))
    assert "wronged 768 · whole 768 · paid twice by us 0 · wrongly paid 0 · untrue notices 0" in text
    assert "a plain merge with a retry, in the same world: not whole 4 · paid twice 33 · wrongly paid 628" in text
    assert "told “not_arrived”: 598 SMS, 142 e-mail" in text
    assert "still_not_arrived" not in text


def test_a_story_is_told_by_the_minute_and_leads_to_the_desk() -> None:
    event = {"at": "2024-07-09T13:45:10Z", "what": "message", "text": "MaxIt: …", "reference": "RC1"}
    lines = [line.text for line in summary.story([event], "http://127.0.0.1:8080/cases/7D2T-VRMW")]
    assert lines[1] == "  13:45  message   MaxIt: …"
    assert lines[-1].endswith("http://127.0.0.1:8080/cases/7D2T-VRMW")


def test_nobody_re_credited_is_no_story() -> None:
    assert summary.story([], None) == []


def test_what_is_said_reaches_a_file_as_plain_lines() -> None:
    output = io.StringIO()
    terminal = Terminal(Console(file=output, highlight=False, soft_wrap=True))
    with terminal.doing("PostgreSQL [bold]"):
        pass
    terminal.say_all([summary.Line("x" * 200, "bold red")])
    first, second = output.getvalue().splitlines()
    assert first.startswith("PostgreSQL [bold] · 0.0 s")
    assert second == "x" * 200
