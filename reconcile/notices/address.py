"""What an SMSC and a mail server take as an address. Anything else could break a header, or be somebody else's."""

import re
from typing import Final

_NUMBER: Final = re.compile(r"\+[1-9][0-9]{5,14}")
# Printable ASCII on both sides of one @, and none of the marks that end an address or begin another.
_MAILBOX: Final = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]{1,64}@[0-9A-Za-z.-]{1,190}")


def is_number(text: str) -> bool:
    """Whether it is a phone number in E.164."""
    return _NUMBER.fullmatch(text) is not None


def is_mailbox(text: str) -> bool:
    """Whether it is an e-mail address that any mail server takes as it stands."""
    return _MAILBOX.fullmatch(text) is not None
