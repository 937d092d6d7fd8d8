"""What happened, for people: the statement, the daily report, and the forms in which figures are shown."""
