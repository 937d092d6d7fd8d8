"""The end of a sandboxed day in words, from the operator's own books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Books: TypeAlias = Mapping[str, Any]
WORST = ("paid_twice_by_us", "wrongly_paid", "untrue_notices")


@dataclass(frozen=True)
class Line:
    """One line, and how it looks on a terminal."""

    text: str
    style: str = ""


def is_good(books: Books) -> bool:
    """Everybody wronged is whole; nobody was paid twice or wrongly by us, or told an untruth."""
    return books["whole"] == books["wronged"] and all(books[figure] == 0 for figure in WORST)


def headline(books: Books) -> list[Line]:
    """The figures, and beside them what the plain way would have done in the same world."""
    minutes, naive = books["minutes_to_whole"], books["naive"]
    told = {
        claim: f"{channels['sms']} SMS, {channels['email']} e-mail"
        for claim, channels in books["notices"].items()
        if channels["sms"] or channels["email"]
    }
    return [
        Line("The sandboxed operator's own books:", "bold"),
        Line(
            f"  wronged {books['wronged']} · whole {books['whole']} · paid twice by us {books['paid_twice_by_us']} · "
            f"wrongly paid {books['wrongly_paid']} · untrue notices {books['untrue_notices']}",
            "bold green" if is_good(books) else "bold red",
        ),
        Line(
            f"  a plain merge with a retry, in the same world: not whole {naive['not_whole']} · "
            f"paid twice {naive['paid_twice']} · wrongly paid {naive['wrongly_paid']}"
        ),
        Line(
            f"  minutes from confirmation to whole: half within {minutes['p50']}, 99 % within {minutes['p99']}, "
            f"worst {minutes['worst']}"
        ),
        Line("    (what went missing before 13:30 or after 15:30 is seen when that batch of the simulation ends)"),
        *(Line(f"  told “{claim}”: {counts}") for claim, counts in told.items()),
        Line(
            f"  purchases {books['purchases']} · originals that landed after we paid {books['landed_after_we_paid']} · "
            f"notices twice {books['duplicate_notices']} · promised news that came late {books['broken_promises']}"
        ),
    ]


def story(events: Sequence[Mapping[str, str]], case_url: str | None) -> list[Line]:
    """One customer's day, with the link to it on the desk."""
    if not events:
        return []
    lines = [Line("One customer's day:", "bold")]
    lines += [Line(f"  {event['at'][11:16]}  {event['what']:<8}  {event['text']}") for event in events]
    return [*lines, Line(f"  the same, as an agent sees it: {case_url}")] if case_url else lines
