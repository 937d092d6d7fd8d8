"""Files that are there whole or not at all."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def publish_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` unless something stands there: what was published once never changes."""
    if not path.exists():
        replace_file(path, content)
