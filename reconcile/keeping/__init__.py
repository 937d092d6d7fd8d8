"""What is kept for how long, and how it leaves: retention, compaction, garbage, erasure."""
