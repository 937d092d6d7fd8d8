"""What an approval is bound to: the terms that were seen, and their hash (invariant 14)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def evidence_hash(terms: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the terms in their one JSON form. Terms hold text, integers, lists and mappings of these alone."""
    canonical = json.dumps(terms, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
