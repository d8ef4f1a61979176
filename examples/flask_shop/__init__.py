"""A small shop of sheet music that takes payments with settlekit."""
