"""Why a database did not give its rows, in words that hold neither secrets nor customers."""

import re
from typing import Any, Final

import sqlalchemy as sa

_ADDRESS: Final = re.compile(
    r"\(?\b\d{1,3}(?:\.\d{1,3}){3}\b\)?|\(?[0-9a-f]*:(?:[0-9a-f]*:)+[0-9a-f]*\)?", re.IGNORECASE
)
_DIGITS: Final = re.compile(r"\+?\d{5,}")
_QUOTED: Final = re.compile(r"""(["'`])((?:(?!\1).)*)\1""")
_NAME: Final = re.compile(r"[A-Za-z_][\w.$]*")
_DATA_EXCEPTION: Final = "22"
"""The class of SQLSTATE whose messages repeat the value that was wrong."""
_SHOWN_CHARACTERS: Final = 200


def reason_of(error: BaseException, url: sa.URL) -> str:
    """The first line of what the driver says, without host, user, database, numbers and values."""
    inner: Any = getattr(error, "orig", None) or error
    state = str(getattr(inner, "pgcode", None) or getattr(inner, "sqlstate", None) or "")
    kind = type(inner).__name__
    if state.startswith(_DATA_EXCEPTION):
        return f"{kind} ({state})"
    texts = [text for text in inner.args if isinstance(text, str)]  # beside it there may be a number
    said = (texts[0] if texts else str(inner)).strip().partition("\n")[0]
    for part in _private(url):
        said = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", said)
    said = _DIGITS.sub("…", _ADDRESS.sub("…", said))
    said = _QUOTED.sub(lambda found: found[0] if _NAME.fullmatch(found[2]) else "…", said)
    return f"{kind}: {said[:_SHOWN_CHARACTERS]}" if said else kind


def _private(url: sa.URL) -> list[str]:
    """What of the address is nobody's business, the longest first."""
    options = [text for value in url.query.values() for text in ((value,) if isinstance(value, str) else value)]
    parts = [url.host, url.password, url.username, url.database, str(url.port or ""), *options]
    return sorted((part for part in parts if part and len(part) > 1), key=len, reverse=True)
