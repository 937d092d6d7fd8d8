"""SMS over SMPP: many submissions in flight at once, each with its fate; delivery receipts as they come."""

import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self
from uuid import UUID

from smpplib import consts

from reconcile.config import ConfigurationError
from reconcile.config import Sms as SmsSettings
from reconcile.notices import gsm
from reconcile.notices.claiming import Ready
from reconcile.notices.outcome import Fate, Outcome
from reconcile.notices.receipts import Receipt, read_receipt
from reconcile.notices.smpp import Answer, LinkLostError, Session
from reconcile.notices.writing import Sms

WINDOW: Final = 64
"""Submissions that may be unanswered at one time."""
RESPONSE_TIMEOUT_SECONDS: Final = 10.0
"""A submission that is not answered for so long is given up, and the session with it."""
THROTTLED_BUDGET_SECONDS: Final = 20.0
"""How long one call of `send` goes on trying while the SMSC throttles."""
PAUSE_FIRST_SECONDS: Final = 0.25
PAUSE_MAX_SECONDS: Final = 4.0

_TON_ALPHANUMERIC: Final = 5
_TON_INTERNATIONAL: Final = 1
_NPI_ISDN: Final = 1
_ESM_HEADER: Final = 0x40
_RECEIPT_WANTED: Final = 1
_DATA_CODINGS: Final = {"gsm": consts.SMPP_ENCODING_DEFAULT, "ucs2": consts.SMPP_ENCODING_ISO10646}

_THROTTLED: Final = frozenset({consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL})
_LATER: Final = frozenset({consts.SMPP_ESME_RX_T_APPN})
# An answer that says what is wrong with the submission proves that it was not taken. All others prove nothing.
_REFUSED: Final = frozenset(
    {
        consts.SMPP_ESME_RINVMSGLEN,
        consts.SMPP_ESME_RINVCMDLEN,
        consts.SMPP_ESME_RINVSRCADR,
        consts.SMPP_ESME_RINVDSTADR,
        consts.SMPP_ESME_RINVDSTTON,
        consts.SMPP_ESME_RINVDSTNPI,
        consts.SMPP_ESME_RINVSRCTON,
        consts.SMPP_ESME_RINVSRCNPI,
        consts.SMPP_ESME_RINVESMCLASS,
        consts.SMPP_ESME_RSUBMITFAIL,
        consts.SMPP_ESME_RX_P_APPN,
        consts.SMPP_ESME_RX_R_APPN,
    }
)


@dataclass(slots=True)
class _Part:
    """One submission: a part of the message at `place` in the call."""

    place: int
    fields: dict[str, Any]
    fate: Fate = Fate.UNTOUCHED
    provider_id: str = ""
    status: int = 0
    gone_at_bytes: int = 0
    due: float = 0.0


@dataclass(slots=True)
class SmsLink:
    """The bound session with an SMSC. `received` are receipts that have come and are not acknowledged yet."""

    session: Session
    sender: str
    received: list[Receipt]
    _in_flight: dict[int, _Part] = field(default_factory=dict)
    _throttled: list[_Part] = field(default_factory=list)
    _accepted: int = 0
    _exhausted: bool = False

    @classmethod
    @contextmanager
    def open(cls, settings: SmsSettings) -> Iterator[Self]:
        """A link to the SMSC of the settings; raises `ChannelDownError`, or `ConfigurationError` for what SMPP cannot say."""
        if not (settings.sender.isascii() and settings.system_id.isascii()):
            raise ConfigurationError("sms.sender, sms.system_id: letters and digits without accents")
        received: list[Receipt] = []
        with Session.bound(settings, lambda pdu: _delivered(pdu, received)) as session:
            yield cls(session, settings.sender, received)

    @property
    def lost(self) -> bool:
        """Whether the session is over, and another one may be tried."""
        return self.session.lost

    @property
    def usable(self) -> bool:
        """Whether it makes sense to hand over more."""
        return not self.session.lost and not self._exhausted

    def send(self, notices: Sequence[Ready]) -> list[Outcome]:
        """Hands all of them over; one outcome for each, in their order. Raises nothing: a lost link is an outcome."""
        parts = [part for place, notice in enumerate(notices) for part in self._parts(place, notice)]
        self.session.on_answer = self._answered
        try:
            self._submit(deque(parts))
        except LinkLostError:
            for part in self._in_flight.values():
                # What did not wholly leave this machine was not submitted; of the rest nobody knows.
                part.fate = Fate.UNCERTAIN if part.gone_at_bytes <= self.session.sent_bytes else Fate.UNTOUCHED
        self._in_flight.clear()
        of_notice: dict[int, list[_Part]] = {place: [] for place in range(len(notices))}
        for part in parts:
            of_notice[part.place].append(part)
        return [_outcome(parts) for parts in of_notice.values()]

    def listen(self, seconds: float) -> bool:
        """Waits at most so long for receipts; whether any came, or came earlier and are not acknowledged."""
        deadline = time.monotonic() + seconds
        while not self.received and (left := deadline - time.monotonic()) > 0:
            try:
                self.session.pump(left)
            except LinkLostError:
                break
        return bool(self.received)

    def acknowledge(self) -> None:
        """Tells the SMSC that the receipts are kept: to be called once they are durable. A lost link is no harm: they come again."""
        for receipt in self.received:
            self.session.reply("deliver_sm_resp", receipt.sequence)
        self.received.clear()
        with suppress(LinkLostError):
            self.session.pump(0)

    def _parts(self, place: int, notice: Ready) -> Iterator[_Part]:
        assert isinstance(notice.message, Sms)
        alphabet, payloads = gsm.encode(notice.message.text)
        fields = {
            "source_addr_ton": _TON_ALPHANUMERIC,
            "source_addr_npi": 0,
            "source_addr": self.sender,
            "dest_addr_ton": _TON_INTERNATIONAL,
            "dest_addr_npi": _NPI_ISDN,
            "destination_addr": notice.recipient.removeprefix("+"),
            "registered_delivery": _RECEIPT_WANTED,
            "data_coding": _DATA_CODINGS[alphabet],
        }
        if len(payloads) == 1:
            yield _Part(place, {**fields, "short_message": payloads[0]})
            return
        for number, payload in enumerate(payloads, start=1):
            header = bytes((5, 0, 3, _group(notice.notice_id), len(payloads), number))
            yield _Part(place, {**fields, "esm_class": _ESM_HEADER, "short_message": header + payload})

    def _submit(self, queue: deque[_Part]) -> None:
        """Keeps a window of submissions in flight. Throttled, it waits and narrows the window; answered, it widens it again."""
        window, pause, resume_at = WINDOW, PAUSE_FIRST_SECONDS, 0.0
        give_up_at = time.monotonic() + THROTTLED_BUDGET_SECONDS
        while queue or self._in_flight:
            now = time.monotonic()
            while queue and now >= resume_at and len(self._in_flight) < window:
                self._queue(queue.popleft(), now)
            self._await_answers(now, resume_at)
            if self._accepted:
                window, pause, self._accepted = min(window + self._accepted, WINDOW), PAUSE_FIRST_SECONDS, 0
            if self._throttled:
                queue.extendleft(reversed(self._throttled))
                self._throttled.clear()
                if time.monotonic() >= resume_at:  # once for all that were in flight together
                    window = max(1, window // 2)
                    # Jitter keeps several senders from coming back at the same moment.
                    resume_at = time.monotonic() + pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret hangs on it
                    pause = min(2 * pause, PAUSE_MAX_SECONDS)
                if time.monotonic() >= give_up_at:
                    self._exhausted = True
                    queue.clear()  # untouched, they wait for the next run

    def _await_answers(self, now: float, resume_at: float) -> None:
        if not self._in_flight:
            self.session.pump(resume_at - now)
            return
        oldest = next(iter(self._in_flight.values()))
        if now >= oldest.due:
            self.session.lost = True
            raise LinkLostError("the SMSC did not answer in time")
        self.session.pump(oldest.due - now)

    def _queue(self, part: _Part, now: float) -> None:
        sequence, part.gone_at_bytes = self.session.queue("submit_sm", **part.fields)
        part.due = now + RESPONSE_TIMEOUT_SECONDS
        self._in_flight[sequence] = part

    def _answered(self, answer: Answer) -> None:
        part = self._in_flight.pop(answer.sequence, None)
        if part is None:
            return  # an answer to nothing that was asked
        part.status, part.provider_id = answer.status, answer.message_id
        part.fate = _fate(answer.status)
        self._accepted += part.fate is Fate.SUBMITTED
        if answer.status in _THROTTLED:
            self._throttled.append(part)


def _delivered(pdu: Any, received: list[Receipt]) -> int | None:
    """Keeps a receipt, to be answered when it is durable. A customer's message is turned away: nothing here reads it yet."""
    receipt = read_receipt(pdu)
    if receipt is None:
        return int(consts.SMPP_ESME_RX_R_APPN)
    received.append(receipt)
    return None


def _group(notice_id: UUID) -> int:
    """The number that the parts of one SMS share."""
    return notice_id.bytes[-1]


def _fate(status: int) -> Fate:
    if status == consts.SMPP_ESME_ROK:
        return Fate.SUBMITTED
    if status in _THROTTLED:
        return Fate.UNTOUCHED
    if status in _LATER:
        return Fate.DEFERRED
    return Fate.REFUSED if status in _REFUSED else Fate.UNCERTAIN


def _outcome(parts: Sequence[_Part]) -> Outcome:
    """One fate for the parts of a message: a message of which only some parts were taken is uncertain."""
    fates = {part.fate for part in parts}
    if fates == {Fate.SUBMITTED}:
        return Outcome(Fate.SUBMITTED, tuple(part.provider_id for part in parts))
    fate = fates.pop() if len(fates) == 1 else _mixed(fates)
    reasons = {part.status: consts.DESCRIPTIONS.get(part.status, "unknown status") for part in parts if part.status}
    reason = "; ".join(f"{text} ({status:#04x})" for status, text in sorted(reasons.items()))
    provider_ids = tuple(part.provider_id for part in parts if part.provider_id)
    return Outcome(fate, provider_ids, reason or "the link to the SMSC was lost")


def _mixed(fates: set[Fate]) -> Fate:
    if Fate.SUBMITTED in fates or Fate.UNCERTAIN in fates:
        return Fate.UNCERTAIN
    return Fate.REFUSED if Fate.REFUSED in fates else Fate.DEFERRED  # nothing of it was taken
