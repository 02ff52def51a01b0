"""Versions of the database's structure, applied by Alembic."""
