"""Tables whose rows never change: the database itself refuses it."""

from sqlalchemy import DDL, Table, event


def append_only(table: Table) -> Table:
    """Make the database refuse every update and delete of the table's rows."""
    for verb in ("UPDATE", "DELETE"):
        statement = (
            f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table.name} never change'); END"
        )
        trigger = DDL(statement)  # type: ignore[no-untyped-call]
        event.listen(table, "after_create", trigger.execute_if(dialect="sqlite"))
    return table
