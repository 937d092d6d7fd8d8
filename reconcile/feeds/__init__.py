"""From what sources deliver to published batches: land, read, normalise, gate, publish, watermark."""
