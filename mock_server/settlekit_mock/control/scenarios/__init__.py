"""Stories that play themselves: each sets its stage in the world as it is, and says what it made."""
