"""From confirmations and ledger entries to matches, verdicts and the statement: pure files in, files out."""
