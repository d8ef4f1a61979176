"""Every endpoint as a pure function: what to send, how to read the answer."""
