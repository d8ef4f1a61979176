"""Examples that run: a shop, and a demo that plays its month."""
