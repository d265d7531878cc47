"""Celery workers: work jobs off on other processes and machines than the API's. docs/workers.md."""
