"""Celery tasks: each opens one unit of work and calls one service."""
