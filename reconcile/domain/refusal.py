class NotAllowedError(PermissionError):
    """Somebody may not do this; the message says why."""
