"""The next best action for one purchase, and the sentence that may truthfully be said to the customer."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from reconcile.desk.case_file import CaseFile
from reconcile.desk.page import Page, texts
from reconcile.desk.roles import Decision
from reconcile.desk.timeline import Story
from reconcile.domain.breaks import OWING
from reconcile.reports.formats import NOTHING, Formats
from reconcile.reports.texts import as_language

Tone = Literal["done", "waiting", "act", "care"]

_BEING_SENT: Final = frozenset({"approved", "reserved", "executing"})


@dataclass(frozen=True, slots=True)
class NextStep:
    """`key`: the instruction, under `step.` in the texts; `say`: the sentence for the customer, under `say.`."""

    key: str
    say: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A next step in words: for the agent in the viewer's language, for the customer in the customer's own."""

    tone: Tone
    action: str
    say: str
    say_language: str


def decide(  # noqa: C901 - one line for each thing that can be the matter, the first that holds decides
    *,
    case_status: str | None,
    kind: str | None,
    owed_minor: int,
    disposition: str | None,
    intent_status: str | None,
    attempt_unknown: bool,
    proposal_open: bool,
    credited: bool,
    promised: bool,
    may_propose: bool,
    may_approve: bool,
) -> NextStep:
    """What comes next, from the states alone. Nothing is said that is not known: where in doubt, only that we look."""
    if case_status is None:
        return NextStep("credited", "credited", "done") if credited else NextStep("too_early", "too_early", "waiting")
    if case_status != "open":
        return _ended(case_status, intent_status, credited=credited)
    if kind not in OWING and owed_minor <= 0:
        return NextStep("excess", "credited" if promised and credited else "looking_credit", "care")
    if attempt_unknown or intent_status == "escalated":
        return NextStep("unknown", "looking", "care")
    if intent_status == "credited":
        return NextStep("sent", "on_its_way", "waiting")
    if intent_status in _BEING_SENT:
        return NextStep("being_sent", "on_its_way", "waiting")
    if proposal_open:
        return NextStep("approve" if may_approve else "awaiting_approver", "known", "act" if may_approve else "waiting")
    if may_propose:
        return NextStep("propose", "known", "act")
    if disposition == "await_incident":
        return NextStep("await_incident", "known", "waiting")
    if disposition == "pay":
        return NextStep("will_be_sent", "known", "waiting")
    if disposition in {"review", "await_approval"}:
        return NextStep("review", "known", "care")
    return NextStep("wait", "known", "waiting")


def _ended(case_status: str, intent_status: str | None, *, credited: bool) -> NextStep:
    if case_status in {"rejected", "written_off"}:
        return NextStep("rejected", "looking", "done")
    if intent_status in {"verified", "credited"}:
        return NextStep("made_whole", "made_whole", "done")
    return NextStep("self_settled", "self_settled", "done") if credited else NextStep("closed", "looking", "done")


def next_step(page: Page, story: Story, *, approve: Decision, propose: Decision) -> ShownStep:
    """The next step of this purchase in words."""
    file = story.file
    case, intent = (file.case, file.intent) if file else (None, None)
    step = decide(
        case_status=case.status if case else None,
        kind=case.kind if case else None,
        owed_minor=case.owed_minor if case else 0,
        disposition=case.disposition if case else None,
        intent_status=intent.status if intent else None,
        attempt_unknown=any(row.status == "unknown" for row in file.attempts) if file else False,
        proposal_open=file is not None and file.proposal is not None,
        credited=case.credited_at is not None if case else story.credited_minor >= story.promised_minor,
        promised=story.promised_minor > 0,
        may_propose=propose.allowed,
        may_approve=approve.allowed,
    )
    spoken = as_language(_language(page, file))
    return ShownStep(
        tone=step.tone,
        action=page.texts(f"step.{step.key}", **_values(story, page.formats)),
        say=texts(spoken)(f"say.{step.say}", **_values(story, Formats(spoken, page.desk.zone))).strip(),
        say_language=spoken,
    )


def _language(page: Page, file: CaseFile | None) -> str | None:
    if file is not None and file.customer is not None and file.customer.language is not None:
        return str(file.customer.language)
    flows = page.world.configuration.flows
    return flows[0].language if flows else None


def _values(story: Story, formats: Formats) -> dict[str, Any]:
    file = story.file
    promise = next((row for row in file.promises if row.status == "open"), None) if file else None
    credited_at = file.case.credited_at if file else None
    if credited_at is None and story.entries:
        credited_at = story.entries[0].posted_at
    return {
        "amount": formats.money(story.promised_minor, story.asset),
        "at": formats.spoken_clock(story.confirmed_at),
        "credited_at": formats.spoken_clock(credited_at),
        "number": file.case.number if file else NOTHING,
        "incident": (file.incident_number if file else None) or NOTHING,
        "news": (texts(formats.language)("say.next_news", at=formats.spoken_clock(promise.due_at)) if promise else ""),
    }
