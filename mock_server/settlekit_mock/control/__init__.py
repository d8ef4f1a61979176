"""How the mock is driven: the clock, the actors, usage, the journal. All under ``/_mock``."""
