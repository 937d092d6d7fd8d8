"""From facts to the words of one notice. Pure: the same facts give the same text."""

import re
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final, Literal
from zoneinfo import ZoneInfo

from reconcile.config import Flow
from reconcile.notices import catalogue, gsm
from reconcile.notices.catalogue import Catalogue
from reconcile.notices.event import CREDITED, DELAYED, DETECTED, SELF_SETTLED, kind_of
from reconcile.notices.facts import Facts
from reconcile.notices.formats import Formats

_BODY_STYLE: Final = "margin:0;padding:24px;background:#f4f4f2;color:#1d1d1b;font:16px/1.5 Arial,Helvetica,sans-serif"
_CARD_STYLE: Final = "max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px"
_LABEL_STYLE: Final = "padding:4px 16px 4px 0;color:#5c5c58;text-align:left;font-weight:normal;vertical-align:top"
_VALUE_STYLE: Final = "padding:4px 0;font-weight:bold"
_FOOTER_STYLE: Final = "margin:24px 0 0;color:#5c5c58;font-size:13px"


@dataclass(frozen=True, slots=True)
class Sms:
    """The text of an SMS and how many parts it takes."""

    text: str
    parts: int


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail: its subject and the same content as plain text and as HTML."""

    subject: str
    plain: str
    html: str


def language_for(wanted: str | None, flow: Flow) -> str:
    """The language that a customer is told in: their own where there is a catalogue for it, else the flow's."""
    return wanted if wanted in catalogue.load() else flow.language


def write_sms(event: str, facts: Facts, *, flow: Flow, language: str, now: datetime) -> Sms:
    """The fullest of the wordings that take the fewest SMS."""
    words = catalogue.load()[language]
    slots = _slots(facts, flow, _formats(words, "sms", flow, now))
    texts = (gsm.plain(_filled(wording, slots)) for wording in words.template(kind_of(event)).sms)
    best: Sms | None = None
    for text in texts:
        parts = gsm.size(text).parts
        if best is None or parts < best.parts:
            best = Sms(text, parts)
        if best.parts == 1:
            break
    assert best is not None, "a template has at least one wording"
    return best


def write_mail(event: str, facts: Facts, *, flow: Flow, language: str, now: datetime) -> Mail:
    """The e-mail with its subject; no links, no pictures, nothing that is loaded from elsewhere."""
    words = catalogue.load()[language]
    formats = _formats(words, "email", flow, now)
    slots = _slots(facts, flow, formats)
    template = words.template(kind_of(event))
    paragraphs = [words.mail.greeting, *(_filled(text, slots) for text in template.mail)]
    if slots["next_news"] and kind_of(event) in {DETECTED, DELAYED}:
        paragraphs.append(slots["next_news"])
    table = _table(kind_of(event), facts, formats)
    closing = [words.mail.closing.format(brand=flow.brand), words.mail.footer]
    return Mail(
        subject=_filled(template.subject, slots),
        plain=_plain(paragraphs, [f"{label}{words.mail.colon}{value}" for label, value in table], closing),
        html=_html(language, paragraphs, table, closing),
    )


def _formats(words: Catalogue, channel: Literal["sms", "email"], flow: Flow, now: datetime) -> Formats:
    return Formats(words, channel, ZoneInfo(flow.zone), now)


def _slots(facts: Facts, flow: Flow, formats: Formats) -> dict[str, str]:
    words, mail = formats.catalogue, formats.channel == "email"
    phrases = words.mail if mail else words.phrases
    credited = formats.moment(facts.credited_at) if facts.credited_at else ""
    account = formats.account(facts.account)
    # A notice that was held up does not promise what can no longer be kept.
    news_at = facts.next_news_at if facts.next_news_at and facts.next_news_at > formats.now else None
    news = formats.moment(news_at) if news_at else ""
    about = words.phrases.reference if facts.reference else words.phrases.no_reference
    noun = next((noun for language, noun in flow.noun.items() if language == words.language), "")
    return {
        "brand": flow.brand,
        "amount": formats.amount(facts.amount_minor, facts.asset),
        "noun": noun.replace("'", "’") if mail else noun,  # noqa: RUF001 - full typography in a mail
        "for_other": phrases.for_other.format(account=account) if facts.for_other else "",
        "bought": formats.moment(facts.confirmed_at),
        "credited": credited,
        "arrived": words.phrases.arrived.format(credited=credited) if credited else "",
        "next_news": phrases.next_news.format(next_news=news) if news else "",
        "reference": about.format(reference=facts.reference, number=facts.number),
    }


def _filled(wording: str, slots: dict[str, str]) -> str:
    """The wording with its slots; an empty one leaves no double space."""
    return re.sub(" {2,}", " ", wording.format_map(slots)).strip()


def _table(kind: str, facts: Facts, formats: Formats) -> list[tuple[str, str]]:
    words = formats.catalogue.mail
    rows = [(words.number, facts.number)]
    if facts.reference:
        rows.append((words.reference, facts.reference))
    rows.append((words.amount, formats.amount(facts.amount_minor, facts.asset)))
    rows.append((words.bought, formats.moment(facts.confirmed_at)))
    if facts.for_other:
        rows.append((words.account, formats.account(facts.account)))
    if facts.credited_at and kind in {CREDITED, SELF_SETTLED}:
        rows.append((words.credited, formats.moment(facts.credited_at)))
    return rows


def _plain(paragraphs: list[str], facts: list[str], closing: list[str]) -> str:
    return "\n\n".join([*paragraphs, "\n".join(facts), *closing]) + "\n"


def _html(language: str, paragraphs: list[str], table: list[tuple[str, str]], closing: list[str]) -> str:
    rows = "\n".join(
        f'<tr><th scope="row" style="{_LABEL_STYLE}">{escape(label)}</th><td style="{_VALUE_STYLE}">{escape(value)}</td></tr>'
        for label, value in table
    )
    signed, footer = closing
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{language}">',
        '<head><meta charset="utf-8"></head>',
        f'<body style="{_BODY_STYLE}">',
        f'<div style="{_CARD_STYLE}">',
        *(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs),
        f'<table role="presentation" style="border-collapse:collapse;margin:16px 0">\n{rows}\n</table>',
        f"<p>{escape(signed)}</p>",
        f'<p style="{_FOOTER_STYLE}">{escape(footer)}</p>',
        "</div>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"
