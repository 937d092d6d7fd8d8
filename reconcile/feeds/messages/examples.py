"""`reconcile templates test`: each worked example of each template must be read as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconcile.feeds.messages.reading import Message

if TYPE_CHECKING:
    from reconcile.feeds.messages.catalogue import Catalogue

_AMOUNTS = ("amount", "fee", "balance")
_TEXTS = ("currency", "reference", "account", "payer")


def failures(catalogue: Catalogue) -> list[str]:
    """What is read otherwise than its example says, one sentence each; empty when all is well."""
    found: list[str] = []
    for template in catalogue.templates:
        for number, example in enumerate(template.row.examples, start=1):
            reading = catalogue.read(Message(f"{template.name}-{number}", example.text, country=example.country))
            expected: dict[str, str | None] = {"template": template.name, "outcome": template.row.outcome}
            expected |= {name: getattr(example, name) for name in (*_AMOUNTS, *_TEXTS, "occurred_at")}
            read: dict[str, str | None] = {name: getattr(reading, name) for name in ("template", "outcome", *_TEXTS)}
            read |= {
                name: None if (value := getattr(reading, name)) is None else format(value, "f") for name in _AMOUNTS
            }
            read["occurred_at"] = reading.occurred_at.isoformat() if reading.occurred_at else None
            found += [
                f"{template.name}, example {number}: {name} is {want} but was read as {read[name]}"
                for name, want in expected.items()
                if read[name] != want
            ]
    return found
