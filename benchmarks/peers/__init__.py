"""What else a data engineer would take: each reads the same two files and says who is owed what."""
