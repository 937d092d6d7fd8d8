"""The pieces that run together: which processes there are, how they start, are watched, and end."""
