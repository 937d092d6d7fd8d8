"""What a phone number leaves in other people's text: the same number in any of the ways in which it is written."""

import re

import phonenumbers

_BEFORE, _AFTER = r"(?:^|[^0-9])", r"(?:[^0-9]|$)"


class Traces:
    """Finds one number in text. `expression` is understood by `re`, RE2 and PostgreSQL alike."""

    def __init__(self, account: str) -> None:
        number = phonenumbers.parse(account, None)
        national = phonenumbers.national_significant_number(number)
        between = r"[ .()/\-]{0,3}"
        digits = between.join(national)
        country = between.join(str(number.country_code))
        self.expression = rf"{_BEFORE}(?:(?:[+]|00)?{country}{between})?0?{digits}{_AFTER}"
        # A space that does not break is two bytes in UTF-8; text is searched as its bytes.
        loose = self.expression.replace(between, "(?:[ .()/\\-]|\xc2?\xa0){0,3}")
        self._in_bytes = re.compile(loose.encode("latin-1"))

    def in_text(self, text: str) -> bool:
        """Whether the number stands there."""
        return self.in_bytes(text.encode(errors="replace"))

    def in_bytes(self, text: bytes) -> bool:
        """The same for text in any encoding that contains ASCII."""
        return self._in_bytes.search(text) is not None
