"""All message formats that are known, and the reading of messages by them."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from reconcile.feeds.messages.extractor import extract
from reconcile.feeds.messages.fields import read_fields
from reconcile.feeds.messages.markup import MAX_MARKUP_CHARACTERS, is_markup, text_of
from reconcile.feeds.messages.reading import UNPARSED, Message, Reading, ambiguous
from reconcile.feeds.messages.shapes import Fit, Shapes
from reconcile.feeds.messages.template import Template, TemplateError, TemplateRow
from reconcile.feeds.messages.text import MAX_TEXT_CHARACTERS, fold, fold_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.resources.abc import Traversable
    from pathlib import Path


class _TemplateFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    template: tuple[TemplateRow, ...]


def builtin() -> Traversable:
    """The folder of the templates that come with the package."""
    return files("reconcile.feeds").joinpath("templates")


class Catalogue:
    """Templates compiled once. Reading is a pure function of the message: same message, same reading."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self.templates = tuple(templates)
        names = [template.name for template in self.templates]
        if twice := {name for name in names if names.count(name) > 1}:
            raise TemplateError(f"two templates are named {', '.join(sorted(twice))}")
        self._shapes = Shapes(self.templates)

    @classmethod
    def load(cls, paths: Iterable[Traversable | Path] | None = None) -> Catalogue:
        """The templates of all TOML files in the folders (or files) given, by default the built-in ones.

        Raises `TemplateError`, which names the file and what is wrong in it.
        """
        rows = [row for path in ([builtin()] if paths is None else paths) for row in _rows(path)]
        return cls(Template.compile(row) for row in rows)

    def read(self, message: Message) -> Reading:
        """The reading of one message. Never raises on any text."""
        text = message.text
        if is_markup(text) and len(text) <= MAX_MARKUP_CHARACTERS:
            text = text_of(text)
        if len(text) > MAX_TEXT_CHARACTERS:
            return UNPARSED
        country = message.country and message.country.upper()
        return self._read_by_template(message, fold(text), country) or extract(fold_lines(text), country)

    def read_batch(self, messages: Sequence[Message]) -> list[Reading]:
        """The readings, in the order of the messages."""
        return [self.read(message) for message in messages]

    def fitting(self, data: bytes) -> Sequence[Fit]:
        """The templates whose pattern fits a folded text."""
        return self._shapes.fitting(data)

    def _read_by_template(self, message: Message, folded: str, country: str | None) -> Reading | None:
        found: list[tuple[Template, Reading]] = []
        fitting = self.fitting(folded.encode())
        if len(fitting) > 1:  # the sender's own formats first; other senders' only where none of those is certain
            fitting = sorted(fitting, key=lambda fit: not fit.template.from_sender(message.sender))
        for _, template, spans in fitting:
            if found and not template.from_sender(message.sender):
                break
            if not template.in_country(country):
                continue
            reading = read_fields(template, folded, spans, message, country or template.country)
            if reading is not None:
                found.append((template, reading))
        if len(found) <= 1:
            return found[0][1] if found else None
        _, closest = max(found, key=lambda entry: (_stated(entry[1]), entry[0].literal_characters))
        if all(_agree(closest, other) for _, other in found):
            return closest
        return ambiguous(tuple(other for _, other in found))


_FACTS = ("outcome", "amount", "currency", "fee", "balance", "reference", "account", "payer")


def _stated(reading: Reading) -> int:
    """How many facts a reading states: of two formats that fit, the one that reads more is the closer one."""
    return sum(getattr(reading, fact) is not None for fact in _FACTS)


def _agree(one: Reading, other: Reading) -> bool:
    """Two formats may fit one text; that matters only where they disagree on what it says."""
    return one is other or all(
        None in {theirs, ours} or theirs == ours
        for theirs, ours in ((getattr(one, fact), getattr(other, fact)) for fact in _FACTS)
    )


def _rows(path: Traversable | Path) -> list[TemplateRow]:
    if path.is_dir():
        inside = sorted(
            (entry for entry in path.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name
        )
        return [row for entry in inside for row in _rows(entry)]
    try:
        return list(_TemplateFile.model_validate(tomllib.loads(path.read_text("utf-8"))).template)
    except (OSError, ValueError) as error:  # of TOML, of UTF-8, of the models
        raise TemplateError(f"{path.name}: {error}") from error
