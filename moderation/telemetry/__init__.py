"""What the running program tells of itself: logs, measures and traces. Needs none of them."""
