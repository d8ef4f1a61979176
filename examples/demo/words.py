"""Numbers with their nouns."""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun: 1 batch, 2 batches."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def verb(number: int, one: str, many: str) -> str:
    """Choose the verb for a number of things: is, are."""
    return one if number == 1 else many
