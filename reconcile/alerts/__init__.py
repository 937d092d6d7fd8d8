"""What needs a person, and who is told of it: one key for each cause, each stage of it told once."""
