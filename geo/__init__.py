"""Places, their precision and their footprints, without Flask and without a database."""
