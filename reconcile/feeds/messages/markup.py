"""Receipts that come as HTML mail: their text, one line for each block, a space for each cell."""

from __future__ import annotations

from html import unescape

from reconcile.feeds.messages.expressions import Expression

# An HTML mail is mostly markup; more than this is no receipt.
MAX_MARKUP_CHARACTERS = 100_000

_HIDDEN = Expression(r"<(?:script|style|head|title)\b[^>]*>.*?</(?:script|style|head|title)\s*>|<!--.*?-->")
_BREAK = Expression(r"</?(?:br|p|div|tr|table|li|ul|ol|h[1-6]|section|header|footer|blockquote|center)\b[^>]*>")
_CELL = Expression(r"</?t[dh]\b[^>]*>|&nbsp;")
_TAG = Expression(r"</?[a-z][^>]*>")


def is_markup(text: str) -> bool:
    """Whether it is HTML. `<#>` and `<3` are not."""
    return "<" in text and ("</" in text or "<br" in text.lower())


def text_of(markup: str) -> str:
    """The text that a reader of the mail sees, in lines."""
    data = markup.replace("\r", " ").replace("\n", " ").encode()
    for expression, replacement in ((_HIDDEN, b" "), (_BREAK, b"\n"), (_CELL, b" "), (_TAG, b"")):
        data = expression.replaced(data, replacement)
    return unescape(data.decode())
