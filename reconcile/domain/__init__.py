"""What is true whatever the database, the scheduler or the operator: pure values and decisions."""
