"""What monitoring is told: figures read from PostgreSQL by named SQL, with no customer in them."""
