"""Telling customers the truth about their cases, once: facts → text → outbox → channel → receipt."""
