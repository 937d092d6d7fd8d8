"""Paying what is owed, once: intents, the gate, attempts, gateways, caps, verification. Invariants: docs/money.md."""
