"""Chance that can be repeated: every draw is a function of the seed and of what it is drawn for."""

import hashlib
from random import Random
from typing import Final

_BITS: Final = 53


def stream(seed: int, *labels: str | int) -> Random:
    """A random stream of its own for this seed and these labels, so that adding one never shifts another."""
    return Random(_text(seed, labels))


def chance(seed: int, *labels: str | int) -> float:
    """One number in [0, 1) for this seed and these labels."""
    digest = hashlib.sha256(_text(seed, labels).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / (1 << _BITS)


def _text(seed: int, labels: tuple[str | int, ...]) -> str:
    return "|".join(str(part) for part in (seed, *labels))
