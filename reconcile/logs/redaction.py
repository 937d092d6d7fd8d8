"""The last fence before a line is written: what looks like a phone number, an address or a secret is masked.

Code is written so that none of these is logged in the first place. This is for what it did not think of: the error of a
library that quotes its input, a URL with a number in it, a value in a traceback. It masks rather too much than too little.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote, quote_plus

TEXT_CHARACTERS_MAX: Final = 20_000
"""Of one event, its traceback included; what is longer is cut in the middle, before it is looked at."""
SECRET_CHARACTERS_MIN: Final = 6
"""A shorter secret would mask parts of ordinary words; `reconcile doctor` asks for a longer one."""

NUMBER: Final = "[number]"
ADDRESS: Final = "[address]"
SECRET: Final = "[secret]"  # noqa: S105 - what stands in its place
HIDDEN: Final = "[hidden]"

# Ids and instants are long numbers too, and the reason why anybody reads a log: they are recognised first, and kept.
_KEPT: Final = (
    r"(?<![0-9A-Za-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9A-Za-z])"
    r"|(?<![\w.+-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:[.,]\d{1,6})?)?(?:Z|[+-][01]\d:?[0-5]\d)?)?(?![\w-])"
)
# Eight digits or more, in any script, also when they are parted as people part them, or by what cannot be seen.
_NUMBER: Final = r"\d(?:[\s .()/_\u00a0\u202f\u200b-\u200f\u2060\ufeff\u2010-\u2015-]{0,3}\d){7,}"
_NUMBERS: Final = re.compile(f"(?P<kept>{_KEPT})|{_NUMBER}")
# Each word is looked at once, from its beginning: no text, however hostile, takes more than linear time.
_ADDRESSES: Final = re.compile(r"(?<![^\s@<>\"'=:/,;()\[\]])[^\s@<>\"'=:/,;()\[\]]+@[\w.-]+")
_USER_INFO: Final = re.compile(r"(://)[^\s/@]*@")
_NAMED_SECRETS: Final = re.compile(
    r"""(?ix)
    ( (?:password|passwd|secret|token|api[_-]?key|authorization) ["']?\s{0,2}[=:]\s{0,2}["']? (?:(?:bearer|basic)\s{1,2})?
    | \bbearer\s{1,2} )
    [^\s&,;"']+
    """
)
# What libraries quote of their input: Pydantic's value, SQLAlchemy's parameters, the row in PostgreSQL's DETAIL.
_QUOTED: Final = (
    (re.compile(r"(?m)input_value=.*?(?=, input_type=|$)"), f"input_value={HIDDEN}"),
    (re.compile(r"(?m)\[parameters: .*$"), f"[parameters: {HIDDEN}]"),
    (re.compile(r"(?m)(DETAIL|CONTEXT|QUERY): .*$"), rf"\1: {HIDDEN}"),
)

Redact = Callable[[str], str]


class Redactor:
    """Masks texts. `secrets`: values that may stand nowhere, in whichever of the usual encodings."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= SECRET_CHARACTERS_MIN for form in _forms(secret)}
        # The longest first: one secret may be part of another.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        text = _cut(text)
        if self._secrets is not None:
            text = self._secrets.sub(SECRET, text)
        for pattern, replacement in _QUOTED:
            text = pattern.sub(replacement, text)
        text = _USER_INFO.sub(rf"\1{ADDRESS}@", text)
        text = _NAMED_SECRETS.sub(rf"\1{SECRET}", text)
        text = _ADDRESSES.sub(ADDRESS, text)
        return _NUMBERS.sub(lambda found: found["kept"] or NUMBER, text)


def _forms(secret: str) -> set[str]:
    """A secret as it stands in texts, URLs, quoted Python strings and sign-in headers."""
    plain = secret.encode()
    return {secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1], b64encode(plain).decode("ascii")}


def _cut(text: str) -> str:
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    half = TEXT_CHARACTERS_MAX // 2
    return f"{text[:half]}\n… {len(text) - TEXT_CHARACTERS_MAX} characters left out …\n{text[-half:]}"
