"""The audit trail: append-only, hash-chained records, statements of reasons, retention."""
