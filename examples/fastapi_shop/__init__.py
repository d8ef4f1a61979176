"""The shop of sheet music in FastAPI: asynchronous from the page to the database."""
