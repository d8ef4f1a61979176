"""What the console in the browser reads: everything at once, and nothing of it changed."""
