"""The words by which the general extractor finds its way through a text, by language, as data (`vocabulary/*.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product

from reconcile.feeds.messages.text import fold

# What follows such a word is a figure with that role.
FIGURE_ROLES = frozenset({"amount", "total", "fee", "tax", "balance", "side_balance", "aside", "count"})
# What follows such a word is a code with that role.
CODE_ROLES = frozenset({"id", "ref", "receipt", "side_id", "party", "account", "token"})
DEEDS = ("received", "sent", "paid", "bought", "withdrew", "deposited", "debited", "credited", "recharged")
DEED_ROLES = frozenset({*DEEDS, *(f"{deed}_noun" for deed in DEEDS)})
TOPIC_ROLES = frozenset(
    {
        "airtime",
        "bundle",
        "bill",
        "card",
        "merchant",
        "loan",
        "repayment",
        "interest",
        "refund",
        "reversal",
        "received_payment",
    }
)
STATE_ROLES = frozenset({"done", "pending", "failed", "offer", "due", "secret", "human"})
ROLES = FIGURE_ROLES | CODE_ROLES | DEED_ROLES | TOPIC_ROLES | STATE_ROLES | {"note"}
_PREPOSITIONS = frozenset({"to", "from"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`roles` by key (see `key_of`); `phrases` as written, to be made into one expression; prepositions as words."""

    roles: dict[str, frozenset[str]]
    phrases: tuple[str, ...]
    to: frozenset[str]
    from_: frozenset[str]


def key_of(phrase: str) -> str:
    """What is the same phrase has the same key: `Top-up`, `top up` and `topup`; `d'unites` and `d unites`."""
    return "".join(phrase.lower().translate(_SEPARATORS).split())


def _combined(parts: list[list[str]]) -> list[str]:
    """Every phrase that takes one word of each part; an empty word leaves its part out."""
    return [" ".join(word for word in words if word) for words in product(*parts)]


_SEPARATORS = str.maketrans("", "", "'-.")


@cache
def vocabulary() -> Vocabulary:
    """All languages together; an unknown list in a file is an error, so that a slip of the pen is found."""
    roles: dict[str, set[str]] = {}
    phrases: set[str] = set()
    prepositions: dict[str, set[str]] = {"to": set(), "from": set()}
    for path in files("reconcile.feeds.messages").joinpath("vocabulary").iterdir():
        if not path.name.endswith(".toml"):
            continue
        written = tomllib.loads(path.read_text("utf-8"))
        combined = [(row["role"], _combined(row["parts"])) for row in written.pop("combine", [])]
        for role, words in [*written.items(), *combined]:
            folded = [fold(word).lower() for word in words]
            if role in _PREPOSITIONS:
                prepositions[role].update(folded)
                continue
            if role not in ROLES:
                raise ValueError(f"{path.name}: unknown list {role!r}, expected one of {', '.join(sorted(ROLES))}")
            phrases.update(folded)
            for word in folded:
                roles.setdefault(key_of(word), set()).add(role)
    return Vocabulary(
        {key: frozenset(found) for key, found in roles.items()},
        tuple(sorted(phrases)),
        frozenset(prepositions["to"]),
        frozenset(prepositions["from"]),
    )
