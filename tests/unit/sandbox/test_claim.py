import pytest

from reconcile.sandbox.claim import Claim, read_notice

REFERENCE = "RC240709.1347.A00011"


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("vos 1 050 FCFA d'unités ne sont pas encore arrivés", Claim.NOT_ARRIVED),
        ("your 1,050 FCFA of airtime have not arrived yet", Claim.NOT_ARRIVED),
        ("vos 1 050 FCFA ne sont toujours pas arrivés", Claim.STILL_NOT_ARRIVED),
        ("your 1,050 FCFA have still not arrived", Claim.STILL_NOT_ARRIVED),
        ("vos 1 050 FCFA ont été crédités à 14h48", Claim.CREDITED),
        ("your 1,050 FCFA were credited at 14:48", Claim.CREDITED),
        ("vos 1 050 FCFA sont arrivés à 14h26", Claim.ARRIVED),
        ("your 1,050 FCFA have arrived", Claim.ARRIVED),
    ],
)
def test_each_claim_is_read_in_both_languages(text: str, claim: Claim):
    reading = read_notice(f"Max it: {text}. Réf {REFERENCE}, dossier 345F-F234")
    assert reading.claims == {claim}
    assert reading.references == {REFERENCE}
    assert reading.amounts_minor == {1050}


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("1\u202f050\u00a0F\u202fCFA", {1050}),
        ("F\u202fCFA\u00a01,050", {1050}),
        ("XOF 1050", {1050}),
        ("500 F de 13h47", {500}),
        ("de 13h47 500 FCFA", {500}),
        ("1 050 FCFA et 2.100 FCFA", {1050, 2100}),
        ("dossier 345F-F234, le 9 juillet 2024 à 13:47", set()),
        ("RC240709.1347.A00011 F", set()),
    ],
)
def test_amounts_are_read_in_any_usual_spelling_and_nothing_else_is(text: str, amounts: set[int]):
    assert read_notice(text).amounts_minor == amounts


def test_times_are_read():
    reading = read_notice("crédités à 9h05. Prochaine nouvelle\navant 15h30.")
    assert (reading.named_at, reading.promised_by) == ("09:05", "15:30")
    assert read_notice("have arrived (14:26)").named_at == read_notice("sont arrivés à 14h26").named_at == "14:26"
    assert read_notice("Next news by 15:30").promised_by == "15:30"
    assert read_notice("rien").promised_by is None


def test_a_text_may_say_too_much_or_nothing():
    assert read_notice("pas encore arrivés, puis crédités à 14h48").claims == {Claim.NOT_ARRIVED, Claim.CREDITED}
    assert read_notice("Bonne fête !").claims == frozenset()
