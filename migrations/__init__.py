"""The database's history; app.bootstrap.migrate() runs it under an advisory lock."""
