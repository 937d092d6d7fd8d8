"""What docs/benchmarks.md shows, measured again by one command: `make bench`, or `python -m benchmarks`."""
