"""The review queue: tasks, leases, decisions, appeals, and what they say of reviewers."""
