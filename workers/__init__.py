"""Celery workers: the distributed dispatcher lives here once the service needs more than one machine."""
