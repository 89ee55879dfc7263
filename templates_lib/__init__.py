"""The renderer: template and values in, pictures out. No Flask, no SQLAlchemy, no Celery."""
