"""What a user got wrong about a command."""


class WrongUsage(Exception):
    """A command that can't be run as it was given: one line says why."""
