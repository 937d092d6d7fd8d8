"""Messages to readings: what a confirmation that a customer received says, or that it cannot be said for certain.

A wrong amount is worse than no amount: whatever has two readings is `ambiguous`, whatever has none is `unparsed`.
"""

from reconcile.feeds.messages.catalogue import Catalogue
from reconcile.feeds.messages.reading import Message, Reading

__all__ = ["Catalogue", "Message", "Reading"]
