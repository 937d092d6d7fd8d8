"""What a customer was told. The identity of a confirmation is built here and nowhere else."""


def identity(provider: str, reference: str | None, message_id: str) -> str:
    """(provider, reference), else the source's message id. Never a parsed amount: a corrected template must not make
    a second purchase of the same message.
    """
    return f"{provider}|{reference}" if reference else f"message|{message_id}"


def normalise_reference(text: str | None) -> str | None:
    """A receipt number in its one form: trimmed and upper-cased; None when there is none."""
    return (text or "").strip().upper() or None
