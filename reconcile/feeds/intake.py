"""One delivery, from its file to the fate of each of its rows. Nothing here touches the database or the lake."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pandas as pd

from reconcile.config import Feed, Flow
from reconcile.feeds import gate
from reconcile.feeds.control import Control
from reconcile.feeds.draft import WHOLE_ROW, Draft
from reconcile.feeds.limits import CHUNK_ROWS, DEFAULT_LIMITS, Limits
from reconcile.feeds.numbering import number_of, sequence_of
from reconcile.feeds.readers import RawRow, read_rows
from reconcile.feeds.refusal import Refused
from reconcile.feeds.side import Side
from reconcile.feeds.staging import Staging
from reconcile.feeds.usual import UNKNOWN, Usual
from reconcile.feeds.values import Unreadable

AHEAD_TOLERANCE: Final = timedelta(minutes=5)
"""How far a row may lie in the future: clocks differ, zones that are wrong differ by more."""
OLDEST_AGE: Final = timedelta(days=400)
"""A row older than this says more about its date than about a purchase."""
TOLERATED_QUARANTINED_ROWS: Final = 5
"""As many bad rows say nothing about a delivery, however few rows it has: the share counts from here on."""
MAX_OLD_SHARE: Final = 0.25
"""More rows than this from before the period are a file of another one."""
TOLERATED_OLD_ROWS: Final = 5
_SIDES_WITH_SUMS: Final = frozenset({"ledger", "payment"})
_SHOWN_ROWS: Final = 5
_ROW_PROBLEM: Final = "row_problem"


@dataclass(slots=True)
class Tally:
    """What was read of one delivery: every row, its money by asset in minor units, and the plain sum of its amounts."""

    rows: int = 0
    money: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    delivered: Decimal = Decimal(0)

    def add(self, draft: Draft) -> None:
        self.rows += 1
        self.delivered += draft.delivered or 0
        amount_minor = draft.found.get("amount_minor")
        if amount_minor is not None:
            self.money[draft.found["asset"]] += amount_minor


@dataclass(frozen=True, slots=True)
class Intake:
    """How the deliveries of one feed are read and examined. `now` is business time."""

    feed: Feed
    flow: Flow
    side: Side
    now: datetime
    limits: Limits = DEFAULT_LIMITS

    def stage(self, path: Path, staging: Staging, only: frozenset[int] | None = None) -> Tally:
        """Reads, normalises and examines every row, or those numbered in `only`, into `staging`.

        Raises `Refused` where the file cannot be read on.
        """
        tally = Tally()
        found = read_rows(path, self.feed, self.limits)
        for rows in _chunks(found if only is None else (row for row in found if row.number in only)):
            drafts = self.side.read(rows)
            for draft in drafts:
                self._number(draft)
                tally.add(draft)
            staging.add(self._examined(drafts))
        if self.feed.is_keyless:
            staging.tell_apart(self.feed.name)
        return tally

    def check(
        self, tally: Tally, staging: Staging, control: Control | None, norm: Usual = UNKNOWN, *, accepted: bool = False
    ) -> str | None:
        """Examines the delivery as a whole, after each row has its fate; raises `Refused` when it is not to be taken.

        `accepted`: a person takes it whatever is usual. Returns what is unusual about it all the same.
        """
        shares = staging.shares()
        in_scope = tally.rows - shares["out_of_scope"].rows
        quarantined = shares["quarantined"].rows
        counted = quarantined if quarantined > TOLERATED_QUARANTINED_ROWS else 0
        new_rows = shares["published"].rows + quarantined
        announced = control.total if control and self.feed.side in _SIDES_WITH_SUMS else None
        facts = {
            "rows": tally.rows,
            "control_rows": control.rows if control else None,
            "sum": _plain(tally.delivered),
            "control_sum": None if announced is None else _plain(announced),
            "quarantined_share": counted / in_scope if in_scope else 0.0,
            "max_quarantined_share": self.feed.max_quarantined_share,
            "old_share": None if accepted or norm.oldest is None else _old_share(staging, norm.oldest),
            "max_old_share": MAX_OLD_SHARE,
            "since": norm.since,
            "oldest": norm.oldest,
            "new_rows": new_rows,
            "most_rows": None if accepted else norm.most_rows(self.feed.max_volume_factor),
        }
        frame = pd.DataFrame([facts], dtype=object)
        failures = gate.examine("delivery", frame)
        if failures:
            said = "; ".join(f"{failure.name}: {failure.meaning.format_map(facts)}" for failure in failures)
            raise Refused(said + _examples(staging), broken=tuple(failure.name for failure in failures))
        if quarantined > self.limits.quarantined_rows:
            raise Refused(f"has {quarantined} bad rows, more than {self.limits.quarantined_rows}{_examples(staging)}")
        return norm.remark(new_rows, self.feed.max_volume_factor)

    def _number(self, draft: Draft) -> None:
        """A row without its number is in scope, whatever else it is: it leaves a gap, and somebody must see why."""
        sequence = sequence_of(self.feed, "rows")
        if sequence is None or draft.row.problem:
            return
        try:
            draft.node, draft.number = number_of(sequence, draft.row.cells)
        except Unreadable as error:
            draft.problems[WHOLE_ROW] = str(error)
            draft.out_of_scope = False

    def _examined(self, drafts: Sequence[Draft]) -> list[dict[str, Any]]:
        """The drafts as rows of `staged`: published unless out of scope or broken by an expectation."""
        broken = self._broken([draft for draft in drafts if not draft.out_of_scope])
        staged = []
        for draft in drafts:
            number = draft.row.number
            disposition, reason, column = "published", None, None
            if draft.out_of_scope:
                disposition = "out_of_scope"
            elif number in broken:
                disposition, (reason, column) = "quarantined", broken[number]
            staged.append(
                {
                    **draft.found,
                    "row_number": number,
                    "disposition": disposition,
                    "reason": reason,
                    "column_name": column,
                    "raw": None if draft.out_of_scope else draft.row.raw,
                    "node": draft.node,
                    "number": draft.number,
                }
            )
        return staged

    def _broken(self, drafts: Sequence[Draft]) -> Mapping[int, tuple[str, str]]:
        """Row number → (every expectation that it broke and why, the column of the first)."""
        if not drafts:
            return {}
        by_number = {draft.row.number: draft for draft in drafts}
        frame = pd.DataFrame(
            [{**draft.found, _ROW_PROBLEM: draft.problems.get(WHOLE_ROW)} for draft in drafts],
            index=list(by_number),
            columns=[*self.side.columns, _ROW_PROBLEM],
        )
        for column in self.side.columns:
            if column.endswith("_minor"):
                frame[column] = frame[column].astype("Int64")
            if column == self.side.moment:
                frame[column] = pd.to_datetime(frame[column], utc=True)
        said: dict[int, list[str]] = defaultdict(list)
        first_column: dict[int, str] = {}
        for failure in gate.examine(self.side.suite, frame, self._parameters()):
            column = WHOLE_ROW if failure.column == _ROW_PROBLEM else failure.column
            for number in failure.rows:
                problem = by_number[number].problems.get(column)
                said[number].append(f"{failure.name}: {problem}" if problem else failure.name)
                first_column.setdefault(number, column)
        return {number: ("; ".join(reasons), first_column[number]) for number, reasons in said.items()}

    def _parameters(self) -> dict[str, Any]:
        return {
            "earliest": pd.Timestamp(self.now - OLDEST_AGE),
            "latest": pd.Timestamp(self.now + AHEAD_TOLERANCE),
            "assets": [self.flow.asset],
        }


def _examples(staging: Staging) -> str:
    rows = staging.quarantined(_SHOWN_ROWS)
    shown = ", ".join(f"row {row.row_number}: {row.reason.partition(':')[0]}" for row in rows)
    return f" ({shown})" if shown else ""


def _old_share(staging: Staging, oldest: datetime) -> float:
    """The share of rows in scope that happened before `oldest`; a handful says nothing."""
    rows, old = staging.older_than(oldest)
    return old / rows if old > TOLERATED_OLD_ROWS else 0.0


def _plain(amount: Decimal) -> str:
    """An amount in its one written form: equal amounts are equal texts, whatever decimals they were delivered with."""
    return f"{amount.normalize():f}"


def _chunks(rows: Iterator[RawRow]) -> Iterator[list[RawRow]]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk
