"""The shop of sheet music in Django: its ORM, its templates, its migrations."""
