"""The texts of all notices, one TOML file per language. A language is added by adding its file."""

import string
import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from reconcile.notices.event import KINDS

SLOTS: Final = frozenset(
    {"brand", "amount", "noun", "for_other", "bought", "credited", "arrived", "next_news", "reference"}
)
PHRASE_SLOTS: Final = frozenset({"time", "day", "account", "reference", "number", "next_news", "credited", "brand"})


class CatalogueError(ValueError):
    """A catalogue cannot be used; the message names the file, the key and what was expected."""


def _slots(text: str, known: frozenset[str]) -> str:
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError(f"braces that do not pair: {error}") from error
    if unknown := found - known:
        raise ValueError(f"unknown slot {{{min(unknown)}}}; there are {', '.join(sorted(known))}")
    return text


def _locale(code: str) -> str:
    try:
        Locale.parse(code)
    except (ValueError, UnknownLocaleError) as error:
        raise ValueError("a language that Babel knows, such as fr") from error
    return code


Wording = Annotated[str, AfterValidator(lambda text: _slots(text, SLOTS))]
Phrase = Annotated[str, AfterValidator(lambda text: _slots(text, PHRASE_SLOTS))]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phrases(_Section):
    """What stands in a slot of an SMS when there is something to put there."""

    on_other_day: Phrase
    for_other: Phrase
    reference: Phrase
    no_reference: Phrase
    next_news: Phrase
    arrived: Phrase


class MailWords(_Section):
    """What every e-mail has around its paragraphs, and the labels of its facts."""

    colon: str
    greeting: Phrase
    for_other: Phrase
    next_news: Phrase
    closing: Phrase
    footer: Phrase
    number: str
    reference: str
    amount: str
    bought: str
    account: str
    credited: str


class Template(_Section):
    """How one kind of event is told. `sms` goes from the fullest wording to the shortest, none longer than `sms_parts` SMS."""

    sms_parts: Annotated[int, Field(ge=1, le=8)]
    sms: Annotated[tuple[Wording, ...], Field(min_length=1)]
    subject: Wording
    mail: Annotated[tuple[Wording, ...], Field(min_length=1)]


class Catalogue(_Section):
    """One language: its formats, its phrases, and a template for each kind of event."""

    language: Annotated[str, AfterValidator(_locale)]
    time: str
    short_day: str
    sms_assets: dict[str, str] = {}
    units: dict[str, str] = {}
    phrases: Phrases
    mail: MailWords
    detected: Template
    delayed: Template
    credited: Template
    self_settled: Template

    def template(self, kind: str) -> Template:
        """The template of one of `event.KINDS`."""
        assert kind in KINDS, f"no kind of event: {kind}"
        found = getattr(self, kind)
        assert isinstance(found, Template)
        return found


def parse(text: str, *, source: str) -> Catalogue:
    """The catalogue that a TOML text holds; raises `CatalogueError` that names `source`."""
    try:
        return Catalogue.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{source}: not TOML: {error}") from error
    except ValidationError as error:
        problems = [
            f"{source}: {'.'.join(str(part) for part in problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False)
        ]
        raise CatalogueError("\n".join(problems)) from error


@cache
def load() -> dict[str, Catalogue]:
    """Every catalogue that comes with the package, by language; raises `CatalogueError`."""
    found: dict[str, Catalogue] = {}
    for path in sorted(files("reconcile.notices").joinpath("catalogues").iterdir(), key=lambda path: path.name):
        if path.name.endswith(".toml"):
            catalogue = parse(path.read_text(encoding="utf-8"), source=path.name)
            if path.name != f"{catalogue.language}.toml":
                raise CatalogueError(f"{path.name}: its language is {catalogue.language!r}: a file is named for it")
            found[catalogue.language] = catalogue
    return found
