import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.feeds.messages.text import fold, fold_lines


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Vous avez reçu 1\u202f050\u00a0FCFA", "Vous avez recu 1 050 FCFA"),
        ("L\u2019achat d\u2019unités a réussi", "L'achat d'unites a reussi"),
        ("\u0661\u066c\u0662\u0665\u0660\u066b\u0665\u0660 جنيه", "1,250.50 جنيه"),
        ("\u09f3\u09eb\u09e6\u09e6", "BDT 500"),
        ("\U0001d5cc\U0001d5c9\U0001d5be\U0001d5c7\U0001d5cd \uff15\uff10\uff10", "spent 500"),
        ("5000\u00b9", "5000\u00b9"),
        ("GH₵25.00", "GHC25.00"),
        ("a\u200bb\u200e\u00ad", "ab"),
        ("  deux\t espaces \n", "deux espaces"),
        ("re\u0301ussi", "reussi"),
        ("تمّ إضافة", "تم اضافه"),
        ("half \ud83d pair", "half pair"),
    ],
)
def test_many_ways_of_writing_fold_into_one(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_lines_stay_lines_where_labels_stand_on_their_own() -> None:
    assert fold_lines("Montant :\r\n 5 000\u00a0F\n\n Réf:  A1 ") == "Montant :\n5 000 F\nRef: A1"


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_lines(text).replace("\n", " ") == fold(text)
