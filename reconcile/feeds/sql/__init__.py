"""Rows of a database as deliveries: read in snapshots, written as the files and control files of any other feed."""
