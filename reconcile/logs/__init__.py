"""What the program says of its own work: one event a line, with ids and counts, and never with a customer in it."""
