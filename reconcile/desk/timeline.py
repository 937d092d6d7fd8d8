"""One purchase as one line of moments, from every table and from the lake, in the order in which they happened."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from reconcile.desk.case_file import CaseFile
from reconcile.desk.evidence import passes_of
from reconcile.desk.lake_file import Entry, Purchase
from reconcile.desk.message_text import MessageText
from reconcile.desk.page import Page
from reconcile.desk.roles import Permission
from reconcile.desk.terms import terms_of
from reconcile.domain.policy import CLOSING
from reconcile.reports.formats import NOTHING


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of one purchase. A case without a purchase (an orphan credit) has no `purchase`."""

    file: CaseFile | None
    purchase: Purchase | None
    entries: list[Entry]
    message: MessageText | None

    @property
    def asset(self) -> str:
        return self.purchase.asset if self.purchase else str(self.file.case.asset) if self.file else ""

    @property
    def promised_minor(self) -> int:
        if self.purchase is not None:
            return self.purchase.amount_minor
        return int(self.file.case.confirmed_minor) if self.file else 0

    @property
    def confirmed_at(self) -> datetime | None:
        return self.purchase.confirmed_at if self.purchase else self.file.case.confirmed_at if self.file else None

    @property
    def own_entries(self) -> list[Entry]:
        """The entries that belong to this purchase: matched with it, paid by us for it or, before matching has run, with
        its reference on its account.
        """
        if self.purchase is None:
            verdict = self.file.verdict if self.file else None
            named = set(verdict.evidence.get("entry_ids") or ()) if verdict is not None else set()
            return [entry for entry in self.entries if str(entry.entry_id) in named]
        own_keys = {str(row.attempt_id) for row in self.file.attempts} if self.file else set()
        return [
            entry
            for entry in self.entries
            if entry.found_by is not None
            or entry.own_key in own_keys
            or (entry.tie == "reference" and entry.account == self.purchase.account)
        ]

    @property
    def credited_minor(self) -> int:
        return sum(entry.amount_minor for entry in self.own_entries)


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `family` picks its mark; `facts` are label and value; `quote` is somebody's own words."""

    at: datetime
    family: str
    title: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    quote: str | None = None
    tone: str = ""


def timeline(page: Page, story: Story) -> list[Moment]:
    """Every moment, the oldest first."""
    moments = [*_message(page, story), *_ledger(page, story)]
    if story.file is not None:
        file = story.file
        moments += _verdicts(page, file)
        moments += _approvals(page, file)
        moments += _remedies(page, file)
        moments += _notices(page, file)
        moments += _promises(page, file)
        moments += _contacts(page, file)
        if page.viewer.may(Permission.SEE_AUDIT):
            moments += _audit(page, file)
    return sorted(moments, key=lambda moment: moment.at)


def _message(page: Page, story: Story) -> list[Moment]:
    bought = story.purchase
    if bought is None:
        return []
    t, f = page.texts, page.formats
    facts = [
        (t("fact.amount"), f.money(bought.amount_minor, bought.asset)),
        (t("fact.account"), page.numbers(bought.account)),
        (t("fact.reference"), bought.reference or t("fact.none")),
        (t("fact.confidence"), t.word("confidence", bought.confidence)),
        (t("fact.source"), t("fact.row", feed=bought.feed, row=bought.row_number)),
    ]
    if bought.payer and bought.payer != bought.account:
        facts.insert(2, (t("fact.payer"), page.numbers(bought.payer)))
    if story.message and story.message.template:
        facts.insert(-1, (t("fact.template"), story.message.template))
    quote = page.numbers.text(story.message.text) if story.message else None
    return [Moment(bought.confirmed_at, "message", t("moment.message"), facts, quote)]


def _ledger(page: Page, story: Story) -> list[Moment]:
    t, f = page.texts, page.formats
    moments = []
    ours = {entry.entry_id for entry in story.own_entries}
    for entry in story.entries:
        if entry.own_key is not None and entry.entry_id not in ours:
            continue  # our credit for another purchase of this account has its own page
        elsewhere = story.purchase is not None and entry.account != story.purchase.account
        key = _entry_key(entry, mine=entry.entry_id in ours, elsewhere=elsewhere, promised=story.purchase is not None)
        facts = [
            (t("fact.amount"), f.money(entry.amount_minor, entry.asset)),
            (t("fact.account"), page.numbers(entry.account)),
            (t("fact.reference"), entry.reference or t("fact.none")),
            (t("fact.source"), t("fact.row", feed=entry.feed, row=entry.row_number)),
        ]
        if entry.found_by is not None:
            facts.insert(-1, (t("fact.found_by"), t.word("pass", entry.found_by)))
        tone = "good" if key in {"own", "purchase"} else "quiet" if key == "near" else "bad"
        moments.append(Moment(entry.posted_at, "ledger", t(f"moment.entry.{key}"), facts, tone=tone))
    return moments


def _entry_key(entry: Entry, *, mine: bool, elsewhere: bool, promised: bool) -> str:
    if entry.own_key:
        return "own"
    if elsewhere:
        return "elsewhere"
    if not mine:
        return "near"
    return entry.kind if promised else "orphan"


def _verdicts(page: Page, file: CaseFile) -> list[Moment]:
    t, f = page.texts, page.formats
    moments = []
    for row in file.verdicts:
        facts = [
            (t("fact.credited"), f.money(row.credited_minor, file.case.asset)),
            (t("fact.owed"), f.money(row.owed_minor, file.case.asset)),
        ]
        if row.own_minor:
            facts.insert(1, (t("fact.own"), f.money(row.own_minor, file.case.asset)))
        facts += passes_of(row.evidence, t)
        if row is file.verdict and row.kind not in CLOSING:
            facts.append((t("fact.may_settle"), t.word("settles", row.kind)))
        title = t("moment.verdict", version=row.version, kind=t.word("kind", row.kind))
        moments.append(Moment(row.at, "verdict", title, facts, tone="good" if row.owed_minor == 0 else "bad"))
    return moments


def _approvals(page: Page, file: CaseFile) -> list[Moment]:
    t = page.texts
    moments = []
    for row in file.approvals:
        if row.subject_kind == "incident" and not any(intent.approval_id == row.approval_id for intent in file.intents):
            continue  # approved for the incident, when this case was no longer part of what is paid
        about = t.word("subject", row.subject_kind)
        until = [(t("fact.until"), page.formats.moment(row.expires_at))]
        title = t("moment.proposed", who=_person(page, row.maker), about=about)
        moments.append(Moment(row.proposed_at, "approval", title, until, quote=t.word("reason", row.reason)))
        if row.decided_at is not None:
            title = t(
                "moment.decided", who=_person(page, row.approver), status=t.word("status", row.status), about=about
            )
            moments.append(Moment(row.decided_at, "approval", title))
    return moments


def _remedies(page: Page, file: CaseFile) -> list[Moment]:
    t, f = page.texts, page.formats
    moments = []
    for intent in file.intents:
        facts = [
            (t("fact.amount"), f.money(intent.amount_minor, intent.asset)),
            (t("fact.account"), page.numbers(intent.account)),
            (t("fact.state"), t.word("status", intent.status)),
        ]
        moments.append(
            Moment(
                intent.planned_at, "remedy", t("moment.intent", component=t.word("component", intent.component)), facts
            )
        )
        if intent.verified_at is not None:
            moments.append(Moment(intent.verified_at, "remedy", t("moment.verified"), tone="good"))
    numbers = {row.attempt_id: row.number for row in file.attempts}
    for seen in file.observations:
        facts = [(t("fact.meaning"), t.word("meaning", seen.meaning))]
        if seen.http_status is not None:
            facts.append((t("fact.http"), str(seen.http_status)))
        title = t("moment.attempt", number=numbers[seen.attempt_id], action=t.word("attempt_action", seen.action))
        moments.append(Moment(seen.at, "remedy", title, facts, tone="bad" if seen.meaning == "unknown" else ""))
    return moments


def _notices(page: Page, file: CaseFile) -> list[Moment]:
    t, f = page.texts, page.formats
    moments = []
    for row in file.notices:
        facts = [
            (t("fact.to"), page.numbers(row.recipient) if row.channel == "sms" else _mail(page, row.recipient)),
            (t("fact.state"), t.word("status", row.status)),
        ]
        if row.delivered_at is not None:
            facts.append((t("fact.delivered"), f.moment(row.delivered_at)))
        if row.reason:
            facts.append((t("fact.reason"), row.reason))
        title = t(
            "moment.notice", channel=t.word("channel", row.channel), event=t.word("event", row.event.split(":")[0])
        )
        quote = page.numbers.text(row.text) if row.text else None
        moments.append(Moment(row.submitted_at or row.planned_at, "notice", title, facts, quote))
    return moments


def _promises(page: Page, file: CaseFile) -> list[Moment]:
    t, f = page.texts, page.formats
    return [
        Moment(
            row.made_at,
            "promise",
            t("moment.promise", kind=t.word("promise", row.kind)),
            [(t("fact.due"), f.moment(row.due_at)), (t("fact.state"), t.word("promise_status", row.status))],
            tone={"broken": "bad", "kept": "good"}.get(row.status, ""),
        )
        for row in file.promises
    ]


def _contacts(page: Page, file: CaseFile) -> list[Moment]:
    t = page.texts
    return [
        Moment(
            row.at, "contact", t("moment.contact", who=_person(page, row.agent), channel=t.word("channel", row.channel))
        )
        for row in file.contacts
    ]


def _audit(page: Page, file: CaseFile) -> list[Moment]:
    looks = Counter(row.actor for row in file.audit if row.action == "looked at")
    last_look = {row.actor: row for row in file.audit if row.action == "looked at"}
    return [
        *(
            Moment(
                row.at,
                "audit",
                f"{_person(page, actor)} · {page.texts('moment.looked', count=looks[actor])}",
            )
            for actor, row in last_look.items()
        ),
        *_acts(page, [row for row in file.audit if row.action != "looked at"]),
    ]


def _acts(page: Page, rows: list[sa.Row[Any]]) -> list[Moment]:
    return [
        Moment(
            row.at,
            "audit",
            f"{_person(page, row.actor)} · {page.texts.word('audit_action', row.action)}",
            _evidence_facts(page, row),
            quote=page.texts.word("reason", row.reason),
        )
        for row in rows
    ]


def _evidence_facts(page: Page, row: sa.Row[Any]) -> list[tuple[str, str]]:
    # Ids and hashes are for machines: the page shows the amounts and words among them.
    shown = {name: value for name, value in row.evidence.items() if not name.endswith(("_id", "_hash")) and value != []}
    return terms_of(page, shown)


def _person(page: Page, actor: str | None) -> str:
    """`user:awa` → `awa`; jobs, gateways and the policy by what they are called in the texts, else as they are."""
    name = (actor or NOTHING).removeprefix("user:")
    return page.texts.word("actor", name) if page.texts.has(f"actor.{name}") else name


def _mail(page: Page, address: str) -> str:
    return address if page.numbers.shown else "••••"
