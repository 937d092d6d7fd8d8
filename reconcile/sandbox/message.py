"""An SMS as the operator's centre logs it, and the operator's wordings."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconcile.sandbox.phone import to_national
from reconcile.sandbox.purchase import Purchase

APP_SENDER: Final = "MaxIt"
USSD_SENDER: Final = "OrangeMoney"
_PROMOTION: Final = " Gagnez 100% de bonus avec Max it, jusqu'a 10000 FCFA."

# Wordings that no template of the operator foresees: confirmations all the same.
_FOREIGN: Final = (
    "Akwaba! {amount} F d'unites deposes sur {account}. Il te reste {balance} F. Recu {reference}",
    "Has comprado {amount} FCFA de saldo para el {account}. Nuevo saldo: {balance} FCFA. Ref {reference}",
    "Sie haben {amount} FCFA Guthaben fuer {account} gekauft. Kontostand {balance} FCFA. Beleg {reference}",
    "OK {reference} {account} +{amount} ({balance})",
)


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS: sender name, recipient in E.164, text, the instant it was sent; the id orders them."""

    message_id: str
    sender: str
    recipient: str
    text: str
    sent_at: datetime


def sender_of(purchase: Purchase) -> str:
    """Who confirms it: the app, or the wallet when it was bought by USSD."""
    return APP_SENDER if purchase.in_app else USSD_SENDER


def confirmation_text(purchase: Purchase, balance_minor: int, *, promoted: bool) -> str:
    """The success message, with the payer's wallet balance after it."""
    account, amount, reference = to_national(purchase.account), purchase.amount_minor, purchase.reference
    if purchase.payer.language == "en":
        return (
            f"You have bought {amount:,} FCFA of airtime for {account}. Fee: 0 FCFA. "
            f"New balance: {balance_minor:,} FCFA. Trans ID: {reference}."
        )
    if purchase.in_app:
        return (
            f"Vous avez achete {amount} FCFA d'unites pour le {account}. Frais: 0 FCFA. "
            f"Nouveau solde: {balance_minor} FCFA. ID Trans: {reference}.{_PROMOTION if promoted else ''}"
        )
    return (
        f"Achat d'unites reussi. Montant: {_spaced(amount)} FCFA. Beneficiaire: {account}. "
        f"Solde: {_spaced(balance_minor)},00 FCFA. Ref: {reference}"
    )


def pending_text(purchase: Purchase) -> str:
    """The message that announces a result and promises nothing."""
    account, amount, reference = to_national(purchase.account), purchase.amount_minor, purchase.reference
    if purchase.payer.language == "en":
        return f"Your purchase of {amount:,} FCFA of airtime for {account} is being processed. Trans ID: {reference}"
    return f"Votre achat de {amount} FCFA d'unites pour le {account} est en cours de traitement. ID Trans: {reference}"


def failed_text(purchase: Purchase) -> str:
    """The message of an attempt that came to nothing and cost nothing."""
    account, amount, reference = to_national(purchase.account), purchase.amount_minor, purchase.reference
    if purchase.payer.language == "en":
        return (
            f"Failed: your purchase of {amount:,} FCFA of airtime for {account} was not completed. "
            f"You have not been debited. Trans ID: {reference}"
        )
    return (
        f"Echec: votre achat de {amount} FCFA d'unites pour le {account} n'a pas abouti. "
        f"Votre compte n'a pas ete debite. ID Trans: {reference}"
    )


def foreign_text(purchase: Purchase, balance_minor: int, number: int) -> str:
    """A confirmation in a wording of which nobody was told."""
    return _FOREIGN[number % len(_FOREIGN)].format(
        amount=purchase.amount_minor,
        account=to_national(purchase.account),
        balance=balance_minor,
        reference=purchase.reference,
    )


def _spaced(amount: int) -> str:
    return f"{amount:,}".replace(",", " ")
