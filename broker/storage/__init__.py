"""Storage: the event log, the journal, the directory and the checks of the record, on SQLite or PostgreSQL."""
