"""Which code of a text is the provider's reference of the transaction, and which numbers are the parties'."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from reconcile.feeds.messages.kinds import deeds_of
from reconcile.feeds.messages.vocabulary import vocabulary

if TYPE_CHECKING:
    from reconcile.feeds.messages.figures import Piece
    from reconcile.feeds.messages.roles import Codes

_SHORTEST_LEADING_CODE = 6
_SHORTEST_WEAK_CODE = 5
_FURTHEST_LEADING_CODE = 24
_LETTERS_ONLY_LENGTH = range(8, 21)
_SHORTEST_PART_DIGITS = 6
_PHONE_DIGITS = range(8, 14)
_SHOP_DIGITS = range(5, 14)
_LOOK_BACK_CHARACTERS = 60


def tells_of_two(text: str, pieces: list[Piece], codes: Codes) -> bool:
    """Whether two transactions were pasted together: two ids, two receipts confirmed, or one balance told twice."""
    if len(_distinct(text, codes.of("id"))) > 1:
        return True
    balances = {(piece.label, piece.written) for piece in pieces if piece.role == "balance"}
    return len(_confirmed(text, pieces)) > 1 or len({label for label, _ in balances}) < len(balances)


def _confirmed(text: str, pieces: list[Piece]) -> list[str]:
    """The receipts of which the text says that they are confirmed, wherever they stand: `DT85TH896 Confirmed.`"""
    found = [
        piece.text
        for piece, following in pairwise(pieces)
        if piece.what == "code" and "done" in following.roles and text[piece.end : following.start] == " "
        if _is_mixed(piece.text) and len(piece.text) >= _SHORTEST_LEADING_CODE
    ]
    return list(dict.fromkeys(found))


def reference_of(text: str, pieces: list[Piece], codes: Codes) -> str | None:
    """The one code that the text calls the transaction's own; None when there is none, or two of equal standing."""
    leading = _leading(text, pieces)
    if leading is not None:
        return leading
    strong = _distinct(text, codes.of("id")) or _letters_after_label(text, pieces)
    if strong:
        return strong[0] if len(strong) == 1 else None
    weak = [code for code in _distinct(text, codes.of("ref")) if _could_be_weak(code)]
    receipts = list(dict.fromkeys([*_distinct(text, codes.of("receipt")), *_confirmed(text, pieces)]))
    if weak:  # beside a receipt it may be a note of the customer's
        rivals = [code for code in receipts if not code.isdecimal()]
        return weak[0] if len({*weak, *rivals}) == 1 else None
    if receipts:
        return receipts[0] if len(receipts) == 1 else None
    return _from_url(pieces)


def _leading(text: str, pieces: list[Piece]) -> str | None:
    """`DT85TH896 Confirmed.`, `Confirmado DF50KDFDHWK.`, `201NDGL261360514. Kiasi…`: the receipt opens the text."""
    for index, piece in enumerate(pieces[:3]):
        if piece.start > _FURTHEST_LEADING_CODE or any(before.what != "word" for before in pieces[:index]):
            return None
        if piece.what not in {"code", "number"} or piece.code is not None or len(piece.text) < _SHORTEST_LEADING_CODE:
            continue
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        before = pieces[index - 1] if index else None
        confirmed_after = (
            following is not None and "done" in following.roles and not text[piece.end : following.start].strip(" \n,")
        )
        confirmed_before = (
            before is not None
            and "done" in before.roles
            and before.start < 3
            and text[before.end : piece.start] == " "
            and _is_mixed(piece.text)
        )
        opens = (
            piece.start == 0 and _is_mixed(piece.text) and text[piece.end : piece.end + 2] in {". ", " "} | _OPENINGS
        )
        opens = opens or (piece.start == 0 and _is_mixed(piece.text) and _is_followed_by_deed(text, piece, following))
        if confirmed_after or confirmed_before or opens:
            return piece.text
    return None


_OPENINGS = frozenset({".\n"})


def _is_followed_by_deed(text: str, piece: Piece, following: Piece | None) -> bool:
    return following is not None and bool(deeds_of(following.roles)) and text[piece.end : following.start] == " "


def _is_mixed(code: str) -> bool:
    return code.isalnum() and not code.isdecimal() and code.upper() == code


def _distinct(text: str, pieces: list[Piece]) -> list[str]:
    """Different codes, without those that the text cuts off (`TID: PP251230...`) or masks."""
    whole = [_own_part(piece.text) for piece in pieces if text[piece.end : piece.end + 3] != "..."]
    return list(dict.fromkeys(code for code in whole if code and "*" not in code and "XXX" not in code.upper()))


def _own_part(code: str) -> str:
    """Of `P2M/407212345678/BIG BAZAAR` the number, if it is the only one."""
    parts = code.split("/")
    if len(parts) == 1:
        return code
    numbers = [part for part in parts if sum(character.isdecimal() for character in part) >= _SHORTEST_PART_DIGITS]
    return numbers[0] if len(numbers) == 1 else ""


def _could_be_weak(code: str) -> bool:
    """`Ref` is also what people call their own note: a phone number or a digit is no reference of the provider."""
    if len(code) < _SHORTEST_WEAK_CODE:
        return False
    if not code.isalnum() and all(character.isdecimal() or character in ".," for character in code):
        return False
    return not (code.isdecimal() and code.startswith("0") and len(code) in _PHONE_DIGITS)


def _letters_after_label(text: str, pieces: list[Piece]) -> list[str]:
    """A code without any digit, behind a label that announces one: `TID: CKWQXJDRAB`."""
    found: list[str] = []
    for piece in pieces:
        if "id" in piece.roles and piece.role == "free":
            rest = text[piece.end :].lstrip(" :#-\n").split(maxsplit=1)
            code = rest[0].rstrip(".,;") if rest else ""
            if code.isalpha() and code.isupper() and code.isascii() and len(code) in _LETTERS_ONLY_LENGTH:
                found.append(code)
    return list(dict.fromkeys(found))


def _from_url(pieces: list[Piece]) -> str | None:
    """`https://receipt.bank.test/receipt/387LTWS2535300WM`: a link to the receipt ends in its number."""
    for piece in pieces:
        if "://" in piece.text and "receipt" in piece.text.lower():
            tail = piece.text.rstrip("/.").rpartition("/")[2]
            if len(tail) >= _SHORTEST_LEADING_CODE and _is_mixed(tail):
                return tail
    return None


def parties_of(text: str, pieces: list[Piece], codes: Codes) -> tuple[str | None, str | None]:
    """The account that was credited and the payer, as far as prepositions and verbs tell them apart."""
    account: str | None = None
    payer: str | None = None
    deeds = deeds_of(frozenset(role for piece in pieces if piece.role == "free" for role in piece.roles))
    incoming = bool(deeds & {"received", "credited"}) and not deeds & {"sent", "paid", "bought", "debited"}
    for piece in pieces:
        if not _is_party(text, piece):
            continue
        side = _side(text, piece.start, incoming=incoming)
        if side == "account" and account is None:
            account = _digits(piece.text)
        elif side == "payer" and payer is None:
            payer = _digits(piece.text)
    others = [*codes.of("party"), *codes.of("account")]
    if others and account is None and payer is None:
        sides = {_preposition(text, piece.start): _digits(piece.text) for piece in reversed(others)}
        account, payer = sides.get("account"), sides.get("payer")
        if account is None and payer is None:
            account, payer = (None, _digits(others[0].text)) if incoming else (_digits(others[0].text), None)
    return account, payer


def _is_party(text: str, piece: Piece) -> bool:
    """A phone number, a masked one, or the number of a shop (`from 129324 - Brothers Agency`, `(100100)`)."""
    if piece.role != "free" or piece.what not in {"number", "code"} or piece.code is not None:
        return False
    digits = _digits(piece.text).lstrip("+")
    if "*" in digits:
        return text[piece.start - 1 : piece.start] == "("
    if not digits.isdecimal() or _is_stamp(digits):
        return False
    is_shop = text[piece.end : piece.end + 3] == " - " or (
        text[piece.start - 1 : piece.start] == "(" and text[piece.end : piece.end + 1] == ")"
    )
    return len(digits) in (_SHOP_DIGITS if is_shop else _PHONE_DIGITS)


def _is_stamp(digits: str) -> bool:
    """`202608184348` is a time gone wrong, not a number."""
    return len(digits) in {12, 14} and digits.startswith("20") and digits[2] in "123"


def _side(text: str, start: int, *, incoming: bool) -> str:
    """The nearest preposition to the left; without one, the direction of the transaction."""
    return _preposition(text, start) or ("payer" if incoming else "account")


def _preposition(text: str, start: int) -> str | None:
    words = vocabulary()
    before = text[max(0, start - _LOOK_BACK_CHARACTERS) : start].lower().replace("\n", " ")
    for word in reversed(before.translate(_MARKS).split()):
        if word in words.to and word in words.from_:
            return None
        if word in words.to:
            return "account"
        if word in words.from_:
            return "payer"
    return None


_MARKS = str.maketrans("(),.:;-", "       ")


def _digits(number: str) -> str:
    return number.replace(" ", "").replace("-", "")
