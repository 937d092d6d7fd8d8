from dataclasses import replace

import pytest

from reconcile.sandbox.customer import Customer
from reconcile.sandbox.day import OUTAGE_START
from reconcile.sandbox.message import confirmation_text, failed_text, pending_text, sender_of
from reconcile.sandbox.purchase import Purchase

FRENCH = Customer("+2250707123456", "fr", None, "sms", opted_out=False)
ENGLISH = replace(FRENCH, language="en")
PURCHASE = Purchase(
    reference="RC240709.1345.A00011",
    payer=FRENCH,
    account="+2250707123456",
    amount_minor=1050,
    confirmed_at=OUTAGE_START,
    due_at=OUTAGE_START,
    in_app=True,
)


@pytest.mark.parametrize(
    ("purchase", "sender", "text"),
    [
        (
            PURCHASE,
            "MaxIt",
            (
                "Vous avez achete 1050 FCFA d'unites pour le 0707123456. Frais: 0 FCFA. Nouveau solde: 12340 FCFA. "
                "ID Trans: RC240709.1345.A00011."
            ),
        ),
        (
            replace(PURCHASE, in_app=False),
            "OrangeMoney",
            (
                "Achat d'unites reussi. Montant: 1 050 FCFA. Beneficiaire: 0707123456. Solde: 12 340,00 FCFA. "
                "Ref: RC240709.1345.A00011"
            ),
        ),
        (
            replace(PURCHASE, payer=ENGLISH),
            "MaxIt",
            (
                "You have bought 1,050 FCFA of airtime for 0707123456. Fee: 0 FCFA. New balance: 12,340 FCFA. "
                "Trans ID: RC240709.1345.A00011."
            ),
        ),
    ],
)
def test_a_success_is_worded_as_on_real_handsets(purchase: Purchase, sender: str, text: str):
    assert sender_of(purchase) == sender
    assert confirmation_text(purchase, 12_340, promoted=False) == text


def test_a_promotion_is_added_behind_the_reference():
    text = confirmation_text(PURCHASE, 12_340, promoted=True)
    assert text.endswith("A00011. Gagnez 100% de bonus avec Max it, jusqu'a 10000 FCFA.")


def test_pending_and_failed_promise_nothing():
    assert pending_text(PURCHASE) == (
        "Votre achat de 1050 FCFA d'unites pour le 0707123456 est en cours de traitement. ID Trans: RC240709.1345.A00011"
    )
    assert failed_text(PURCHASE) == (
        "Echec: votre achat de 1050 FCFA d'unites pour le 0707123456 n'a pas abouti. "
        "Votre compte n'a pas ete debite. ID Trans: RC240709.1345.A00011"
    )
    assert "is being processed" in pending_text(replace(PURCHASE, payer=ENGLISH))
    assert "You have not been debited" in failed_text(replace(PURCHASE, payer=ENGLISH))
