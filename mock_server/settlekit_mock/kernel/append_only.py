"""Tables whose rows never change: the database itself refuses it."""

from sqlalchemy import DDL, Table, event

_REFUSE = (
    "CREATE OR REPLACE FUNCTION rows_never_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'rows of %% never change', TG_TABLE_NAME "
    "USING ERRCODE = 'restrict_violation'; END $$"
)


def append_only(table: Table) -> Table:
    """Make the database refuse every update and delete of the table's rows."""
    _run(table, "before_create", "postgresql", _REFUSE)
    for verb in ("UPDATE", "DELETE"):
        head = f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} "
        refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {table.name} never change'); END"
        _run(table, "after_create", "sqlite", head + refuse)
        call = "FOR EACH ROW EXECUTE FUNCTION rows_never_change()"
        _run(table, "after_create", "postgresql", head + call)
    return table


def _run(table: Table, when: str, dialect: str, statement: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(table, when, ddl.execute_if(dialect=dialect))
