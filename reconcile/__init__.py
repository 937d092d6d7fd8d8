"""Finds purchases that were confirmed and never credited, and puts them right once."""
