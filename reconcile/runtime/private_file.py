from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a text that only its owner may read; at no moment may others."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
