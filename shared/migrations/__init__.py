"""The one history of the database, of all schemas; run once at the start of a stack."""
