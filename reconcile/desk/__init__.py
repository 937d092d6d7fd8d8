"""The agents' web pages: search, timelines, cases, incidents, approvals, statements and reports."""
