import pytest

from reconcile.notices import catalogue
from reconcile.notices.catalogue import CatalogueError
from reconcile.notices.event import KINDS

FRENCH = (catalogue.files("reconcile.notices") / "catalogues" / "fr.toml").read_text(encoding="utf-8")


def test_there_is_french_and_english_with_a_template_for_each_kind_of_event():
    found = catalogue.load()
    assert {"fr", "en"} <= found.keys()
    for words in found.values():
        assert [words.template(kind).sms_parts for kind in KINDS]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('language = "fr"', 'language = "klingon!"', "xx.toml: language: a language that Babel knows"),
        ("{brand}: vos", "{marque}: vos", r"xx.toml: detected.sms.0: unknown slot \{marque\}; there are amount"),
        ("{brand}: vos", "{brand: vos", "xx.toml: detected.sms.0: braces that do not pair"),
        ("sms_parts = 2", "sms_parts = 0", "xx.toml: detected.sms_parts: Input should be greater"),
        ("[self_settled]", "[settled]", "xx.toml: self_settled: Field required"),
        ("greeting =", "greeting", "xx.toml: not TOML"),
    ],
)
def test_a_catalogue_with_a_mistake_is_refused_by_file_and_key(before, after, problem):
    assert before in FRENCH
    with pytest.raises(CatalogueError, match=problem):
        catalogue.parse(FRENCH.replace(before, after), source="xx.toml")


def test_nothing_asks_for_a_secret_and_no_sms_holds_a_link():
    for words in catalogue.load().values():
        for kind in KINDS:
            for text in (*words.template(kind).sms, *words.template(kind).mail):
                assert "http" not in text
                assert "www" not in text
                assert not {"PIN", "code", "mot de passe", "password"} & set(text.split())
