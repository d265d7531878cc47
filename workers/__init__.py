"""Celery workers: the place of the distributed dispatcher."""
