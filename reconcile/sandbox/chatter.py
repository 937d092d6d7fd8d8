"""Everything the message centre sends on the day, in order: confirmations among other people's messages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from reconcile.sandbox.customer import Customer
from reconcile.sandbox.day import DAY_END, DAY_START
from reconcile.sandbox.fate import Fate, caught_in_outage
from reconcile.sandbox.message import (
    APP_SENDER,
    USSD_SENDER,
    Message,
    confirmation_text,
    failed_text,
    foreign_text,
    pending_text,
    sender_of,
)
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.seeded import stream
from reconcile.sandbox.shopping import draw_amount, draw_instant, make_reference

PENDING_SHARE: Final = 0.03
FAILED_SHARE: Final = 0.01
NOISE_SHARE: Final = 0.25
PROMOTED_SHARE: Final = 0.3
FOREIGN_COUNT: Final = (3, 5)
_PENDING_BEFORE_SECONDS: Final = (5, 40)
_OPENING_BALANCE: Final = (4_000, 60_000)
_DEPOSIT: Final = 20_000
_FAILED_NODE: Final = "D"

_NOISE: Final = (
    (APP_SENDER, "Max it: votre code de connexion est {code}. Ne le communiquez a personne."),
    (APP_SENDER, "Ce week-end, 50% de bonus sur tous les pass internet des 500 FCFA avec Max it! Composez #144#."),
    (USSD_SENDER, "Orange Money: votre code secret a ete modifie. Si ce n'est pas vous, appelez le 0707."),
    ("PharmaGarde", "Pharmacies de garde ce soir: Cocody, Plateau, Treichville. Infos au 144."),
    ("KdoShop", "KdoShop: -20% aujourd'hui sur tout le magasin. Code {code}."),
    ("BanqueSud", "BanqueSud: retrait de 15 000 FCFA au DAB Plateau. Solde: 83 250 FCFA. Ref DAB{code}"),
    ("MonEcole", "Reunion des parents d'eleves jeudi a 17h30."),
)


def chat(
    seed: int, customers: Sequence[Customer], purchases: Sequence[Purchase], fates: Mapping[str, Fate]
) -> tuple[Message, ...]:
    """All messages of the day by time, with ids in that order."""
    drafts = [
        *_confirmations(seed, purchases, fates),
        *_failures(seed, customers, len(purchases)),
        *_noise(seed, customers, len(purchases)),
    ]
    drafts.sort(key=lambda draft: (draft.sent_at, draft.recipient, draft.text))
    return tuple(
        replace(draft, message_id=f"SM{DAY_START:%y%m%d}{number:07d}") for number, draft in enumerate(drafts, start=1)
    )


def foreign_references(seed: int, purchases: Sequence[Purchase], fates: Mapping[str, Fate]) -> tuple[str, ...]:
    """The few purchases confirmed in an unforeseen wording: all credited in time, so that nobody is harmed unseen."""
    random = stream(seed, "foreign")
    calm = [p.reference for p in purchases if fates[p.reference] is Fate.CREDITED and not caught_in_outage(p)]
    return tuple(random.sample(calm, min(len(calm), random.randint(*FOREIGN_COUNT))))


def _confirmations(seed: int, purchases: Sequence[Purchase], fates: Mapping[str, Fate]) -> Iterator[Message]:
    random = stream(seed, "confirmations")
    foreign = foreign_references(seed, purchases, fates)
    balances: dict[str, int] = {}
    for purchase in purchases:
        payer = purchase.payer.msisdn
        balance = balances.get(payer, random.randint(*_OPENING_BALANCE))
        if balance < purchase.amount_minor:
            balance += _DEPOSIT
        balances[payer] = balance = balance - purchase.amount_minor
        text = confirmation_text(purchase, balance, promoted=random.random() < PROMOTED_SHARE)
        if random.random() < PENDING_SHARE:
            before = purchase.confirmed_at - timedelta(seconds=random.randint(*_PENDING_BEFORE_SECONDS))
            yield _draft(sender_of(purchase), payer, pending_text(purchase), max(before, DAY_START))
        if purchase.reference in foreign:
            text = foreign_text(purchase, balance, foreign.index(purchase.reference))
        yield _draft(sender_of(purchase), payer, text, purchase.confirmed_at)


def _failures(seed: int, customers: Sequence[Customer], purchases: int) -> Iterator[Message]:
    """Attempts that came to nothing: half of them were announced as pending first."""
    random = stream(seed, "failures")
    for number in range(1, round(purchases * FAILED_SHARE) + 1):
        payer, at = random.choice(customers), draw_instant(random)
        attempt = Purchase(
            reference=make_reference(at, _FAILED_NODE, number),
            payer=payer,
            account=payer.msisdn,
            amount_minor=draw_amount(random),
            confirmed_at=at,
            due_at=at,
            in_app=random.random() < 0.5,
        )
        if random.random() < 0.5:
            yield _draft(sender_of(attempt), payer.msisdn, pending_text(attempt), at)
        failed_at = min(at + timedelta(seconds=random.randint(3, 30)), DAY_END - timedelta(seconds=1))
        yield _draft(sender_of(attempt), payer.msisdn, failed_text(attempt), failed_at)


def _noise(seed: int, customers: Sequence[Customer], purchases: int) -> Iterator[Message]:
    random = stream(seed, "noise")
    for _ in range(round(purchases * NOISE_SHARE)):
        sender, text = random.choice(_NOISE)
        code = f"{random.randrange(10**6):06d}"
        yield _draft(sender, random.choice(customers).msisdn, text.format(code=code), draw_instant(random))


def _draft(sender: str, recipient: str, text: str, sent_at: datetime) -> Message:
    return Message(message_id="", sender=sender, recipient=recipient, text=text, sent_at=sent_at)
