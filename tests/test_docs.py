"""Documentation that is missing or wrong fails here."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from reconcile import config
from reconcile.domain.breaks import BreakKind

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]


def keys_of(model, prefix=""):
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner = [part for part in (field.annotation, *getattr(field.annotation, "__args__", ())) if is_model(part)]
        if field.exclude:
            continue
        yield prefix + key
        for part in inner:
            yield from keys_of(part, f"{prefix}{key}.")


def is_model(part):
    return isinstance(part, type) and issubclass(part, BaseModel) and part is not config.Secret


def test_each_configuration_key_is_documented():
    text = (DOCS / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))
    assert set(keys_of(config.Configuration)) == documented


def test_each_kind_of_break_is_in_the_glossary():
    text = (DOCS / "glossary.md").read_text()
    assert [kind for kind in BreakKind if f"`{kind}`" not in text] == []


def test_the_examples_of_configuration_are_valid():
    text = (DOCS / "configuration.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        config.build(tomllib.loads(example), home=ROOT, source="docs/configuration.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_leads_nowhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_each_command_stands_in_the_readme():
    from typer.main import get_command

    from reconcile.cli import app

    def names(command, prefix="reconcile"):
        for name, inner in command.commands.items():
            if hasattr(inner, "commands"):
                yield from names(inner, f"{prefix} {name}")
            else:
                yield f"{prefix} {name}"

    documented = re.findall(r"^\| `(reconcile [a-z ]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(names(get_command(app))) == sorted(documented)
