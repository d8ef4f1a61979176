"""A stateful mock of the platform that settlekit talks to."""
