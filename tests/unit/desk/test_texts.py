"""Both catalogues say the same things, and every text that a page asks for is there."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from reconcile.desk import page
from reconcile.domain import policy
from reconcile.domain.breaks import BreakKind
from reconcile.domain.lifecycles import TRANSITIONS
from reconcile.domain.policy import CLOSING, Disposition
from reconcile.remedy.gateway import Meaning
from reconcile.reports.texts import LANGUAGES, TextMissingError, Texts, read_catalogue
from reconcile.resources import folder

DESK = Path(page.__file__).parent
REPORTS = DESK.parent / "reports"
FOLDERS = (DESK / "texts", REPORTS / "texts")
# The stages speak English; their phrases need a French form and no English one.
PHRASES = ("found.", "reason.", "audit_action.")
PLACEHOLDER = re.compile(r"{(\w+)}")


def catalogues(folder_of_texts):
    return [read_catalogue(folder_of_texts / f"{language}.toml") for language in LANGUAGES]


@pytest.mark.parametrize("folder_of_texts", FOLDERS, ids=["desk", "reports"])
def test_french_and_english_hold_the_same_texts_with_the_same_values(folder_of_texts):
    french, english = catalogues(folder_of_texts)
    assert {key for key in french if not key.startswith(PHRASES)} == set(english)
    for key, text in english.items():
        assert set(PLACEHOLDER.findall(str(text))) == set(PLACEHOLDER.findall(str(french[key]))), key


def asked_for():
    """Keys that templates and modules name outright."""
    for place in (DESK, REPORTS):
        for file in [*place.rglob("*.html"), *place.rglob("*.py")]:
            text = file.read_text(encoding="utf-8")
            for key in re.findall(r"""\b(?:t|texts|page\.texts)\(\s*f?["']([a-z_]+\.[a-z_.]+)["']""", text):
                if not key.endswith("."):
                    yield key, file.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_a_page_names_is_in_the_catalogue(language):
    texts = page.texts(language)
    missing = {(key, file) for key, file in asked_for() if not texts.has(key)}
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_and_kind_has_its_word(language):
    texts = page.texts(language)
    for kind in BreakKind:
        assert texts.has(f"kind.{kind}")
        assert texts.has(f"kind_sentence.{kind}")
        assert kind in CLOSING or texts.has(f"settles.{kind}")
    for disposition in Disposition:
        assert texts.has(f"disposition.{disposition}")
    for entity in ("case", "incident", "approval", "intent", "notice", "promise"):
        for _, status in TRANSITIONS[entity]:
            assert texts.has(f"status.{status}"), (entity, status)


def test_every_phrase_of_the_evidence_can_be_read_in_french():
    texts = page.texts("fr")
    query = "".join(
        (folder("sql") / "match" / name).read_text(encoding="utf-8") for name in ("verdict.sql", "pay_verdict.sql")
    )
    phrases = re.findall(r"(?:THEN|ELSE) '([a-z][^']{8,})'(?! *\n? *AS pass)", query)
    assert len(phrases) > 15
    missing = [phrase for phrase in phrases if " " in phrase and not texts.has(f"found.{phrase}")]
    assert not missing


def sentences_of(module):
    """Whole string literals with a blank in them, outside docstrings and f-strings."""
    tree = ast.parse(inspect.getsource(module))
    skipped = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    skipped |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in skipped
            and " " in node.value
        ):
            yield node.value


def test_every_reason_of_the_policy_can_be_read_in_french():
    texts = page.texts("fr")
    missing = [sentence for sentence in sentences_of(policy) if not texts.has(f"reason.{sentence}")]
    assert not missing


def test_every_answer_of_a_gateway_has_its_words():
    for language in LANGUAGES:
        assert not [meaning for meaning in Meaning if not page.texts(language).has(f"meaning.{meaning}")]


def test_no_french_line_begins_with_a_colon():
    assert page.texts("fr")("foot.business_time", at="13:45") == "Heure de l\u2019exploitation\u00a0: 13:45"


def test_french_counts_zero_with_one():
    catalogue = {"case": {"one": "{count} dossier", "many": "{count} dossiers"}}
    french, english = Texts("fr", catalogue), Texts("en", catalogue)
    assert [french("case", count=number) for number in (0, 1, 2)] == ["0 dossier", "1 dossier", "2 dossiers"]
    assert english("case", count=0) == "0 dossiers"


def test_a_text_that_is_missing_is_an_error_and_an_unknown_word_is_shown_as_it_is():
    texts = page.texts("fr")
    with pytest.raises(TextMissingError):
        texts("no.such_text")
    assert texts.word("status", "brand_new") == "brand new"
