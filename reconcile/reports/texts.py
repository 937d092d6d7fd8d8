"""The words of pages and reports, per language, from TOML catalogues: `texts("kind.never_credited")`."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

Language = Literal["fr", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
DEFAULT_LANGUAGE: Final[Language] = "fr"

_HERE: Final = Path(__file__).resolve().parent / "texts"
_PLURAL: Final = frozenset({"one", "many"})
_BEFORE_MARK: Final = re.compile(r" (?=[:;?!»])|(?<=«) ")


class TextMissingError(LookupError):
    """A page asks for a text that its catalogue does not hold."""


class Texts:
    """One language's texts, by dotted key. A text with `one` and `many` is chosen by its value `count`."""

    def __init__(self, language: Language, catalogue: Mapping[str, str | Mapping[str, str]]) -> None:
        self.language: Final = language
        self._catalogue = catalogue

    def __call__(self, key: str, **values: Any) -> str:
        """The text with its values filled in; raises `TextMissingError`, and `KeyError` for a value that is missing."""
        try:
            entry = self._catalogue[key]
        except KeyError as error:
            raise TextMissingError(f"no text {key!r} in {self.language!r}") from error
        if not isinstance(entry, str):
            entry = entry["one" if _is_one(values["count"], self.language) else "many"]
            values["count"] = values.pop("shown", values["count"])
        return entry.format(**values) if values else entry

    def word(self, family: str, name: str) -> str:
        """The text for a word of the store (a status, a kind) or, for one that no catalogue knows, the word itself."""
        entry = self._catalogue.get(f"{family}.{name}")
        return entry if isinstance(entry, str) else name.replace("_", " ")

    def has(self, key: str) -> bool:
        return key in self._catalogue


def as_language(text: str | None) -> Language:
    """`fr` or `en`; anything else is the default."""
    return "en" if text == "en" else DEFAULT_LANGUAGE


@cache
def texts_for(language: Language, *folders: Path) -> Texts:
    """The texts of the reports in one language, with those of further folders (each holding `fr.toml` and `en.toml`)."""
    catalogue: dict[str, str | Mapping[str, str]] = {}
    for folder in (_HERE, *folders):
        found = read_catalogue(folder / f"{language}.toml")
        twice = catalogue.keys() & found.keys()
        assert not twice, f"texts that stand in two catalogues: {sorted(twice)}"
        catalogue |= found
    if language == "fr":
        catalogue = {key: _set_in_french(text) for key, text in catalogue.items()}
    return Texts(language, catalogue)


def read_catalogue(path: Path) -> dict[str, str | Mapping[str, str]]:
    """Nested tables → dotted keys; a table of exactly `one` and `many` is one text."""
    return _flat("", tomllib.loads(path.read_text(encoding="utf-8")))


def _flat(prefix: str, table: Mapping[str, Any]) -> dict[str, str | Mapping[str, str]]:
    found: dict[str, str | Mapping[str, str]] = {}
    for name, value in table.items():
        if isinstance(value, str) or value.keys() == _PLURAL:
            found[prefix + name] = value
        else:
            found |= _flat(f"{prefix}{name}.", value)
    return found


def _set_in_french(text: str | Mapping[str, str]) -> str | Mapping[str, str]:
    # No line begins with a colon or ends with an opening quotation mark.
    if not isinstance(text, str):
        return {form: _BEFORE_MARK.sub("\u00a0", one) for form, one in text.items()}
    return _BEFORE_MARK.sub("\u00a0", text)


def _is_one(count: int, language: Language) -> bool:
    # French counts zero with one: "0 dossier", "1 dossier", "2 dossiers".
    return count in {0, 1} if language == "fr" else count == 1
