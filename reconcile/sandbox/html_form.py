"""Links and forms on a page, found the way a browser without scripts would."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_IGNORED_TYPES: Final = frozenset({"button", "image", "reset", "file", "submit"})
_TICKED_TYPES: Final = frozenset({"checkbox", "radio"})


@dataclass(slots=True)
class Form:
    """One form: its id, where it goes, and its fields as they are prefilled."""

    form_id: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """What can be done on a page; `links` maps a mark (`case` for `<a data-case href=…>`) to addresses."""

    forms: list[Form]
    links: dict[str, list[str]]

    def form(self, form_id: str) -> Form | None:
        """The form with that id, if the page has it."""
        return next((form for form in self.forms if form.form_id == form_id), None)


def read_page(html: str) -> Page:
    """Read a page."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return Page(forms=parser.forms, links=parser.links)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: dict[str, list[str]] = {}
        self._form: Form | None = None
        self._select: str | None = None
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._note_link(given)
        elif tag == "form":
            self._form = Form(given.get("id", ""), given.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None:
            self._note_field(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._textarea is not None:
            self._form.fields[self._textarea] += data

    def _note_link(self, given: dict[str, str]) -> None:
        for name in given:
            if name.startswith("data-") and "href" in given:
                self.links.setdefault(name.removeprefix("data-"), []).append(given["href"])

    def _note_field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "input" and name:
            kind = given.get("type", "text")
            if kind in _IGNORED_TYPES or (kind in _TICKED_TYPES and "checked" not in given):
                return
            form.fields[name] = given.get("value", "on" if kind in _TICKED_TYPES else "")
        elif tag == "textarea" and name:
            self._textarea = name
            form.fields[name] = ""
        elif tag == "select":
            self._select = name or None
        elif tag == "option" and self._select is not None and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = given.get("value", "")
