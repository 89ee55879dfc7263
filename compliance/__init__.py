"""The checker: text and ruleset in, a report out. No Flask, no SQLAlchemy, no Celery."""
