"""What every room stands on: time, money, ids, the database, the due queue, the journal."""
