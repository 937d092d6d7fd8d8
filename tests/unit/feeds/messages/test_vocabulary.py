import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from reconcile.feeds.messages import Catalogue
from reconcile.feeds.messages.examples import failures
from reconcile.feeds.messages.reading import KINDS, OUTCOMES
from reconcile.feeds.messages.template import SLOTS
from reconcile.feeds.messages.text import fold
from reconcile.feeds.messages.vocabulary import FIGURE_ROLES, ROLES, key_of, vocabulary

PAGE = (Path(__file__).parents[4] / "docs" / "messages.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted({role.removesuffix("_noun") for role in ROLES} | {"to", "from"}))
def test_each_list_of_the_vocabulary_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", sorted(SLOTS))
def test_each_slot_is_documented(name: str) -> None:
    assert f"`{{{name}}}`" in PAGE


@pytest.mark.parametrize("name", sorted(KINDS | OUTCOMES))
def test_each_kind_and_outcome_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_template_shown_in_the_documentation_works(tmp_path: Path) -> None:
    shown = PAGE.split("```toml\n")[1].split("```")[0]
    (tmp_path / "shown.toml").write_text(shown, "utf-8")

    assert failures(Catalogue.load([tmp_path])) == []


def test_words_are_written_folded_so_that_they_can_be_found() -> None:
    for path in files("reconcile.feeds.messages").joinpath("vocabulary").iterdir():
        if path.name == "nonlatin.toml":
            continue  # letters of other scripts are folded when they are read
        written = tomllib.loads(path.read_text("utf-8"))
        for words in (list_ for name, list_ in written.items() if name != "combine"):
            assert [word for word in words if word not in {fold(word).lower(), fold(word).lower() + " "}] == []


def test_no_word_says_two_things_of_the_figure_behind_it() -> None:
    contradictory = {
        key: roles & FIGURE_ROLES
        for key, roles in vocabulary().roles.items()
        if len(roles & FIGURE_ROLES) > 1 and not roles & {"aside", "side_balance"}
    }

    assert contradictory == {}


def test_the_same_phrase_has_one_key_however_it_is_joined() -> None:
    assert {key_of("Top-up"), key_of("top up"), key_of("TopUp"), key_of("top\nup")} == {"topup"}
    assert key_of("d'unites") == key_of("d unites")
