"""Client library for direct payment requests and metered settlement."""
