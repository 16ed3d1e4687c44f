"""Alembic migrations; run by ``cohorts db upgrade`` and at every start."""
