"""Phone numbers as this viewer may see them."""

import re
from typing import Final

import phonenumbers

from reconcile.domain.phone import masked
from reconcile.reports.formats import NOTHING

# A run of at least eight digits with the separators people use, that is not part of a reference or a decimal.
_IN_TEXT: Final = re.compile(r"(?<![\w.])\+?\d(?:[ .\-]?\d){7,14}(?![\w]|\.\d)")


class Numbers:
    """Writes accounts for a viewer: as people of `region` write them, or masked unless `shown`."""

    def __init__(self, region: str, *, shown: bool) -> None:
        self.region: Final = region
        self.shown: Final = shown

    def __call__(self, account: str | None) -> str:
        if account is None:
            return NOTHING
        if not self.shown:
            return masked(account)
        if not account.startswith("+"):
            return account  # a wallet or a player
        number = phonenumbers.parse(account)
        home = phonenumbers.region_code_for_number(number) == self.region
        form = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(number, form)

    def text(self, text: str) -> str:
        """A message as it was received, with the numbers in it masked unless they may be seen."""
        return text if self.shown else _IN_TEXT.sub(lambda found: masked(found.group()), text)
