"""State in PostgreSQL: tables, transactions, transitions, audit, and the embedded server."""
