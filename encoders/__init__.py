"""Media to time-stamped features. Knows nothing of scores, policies or queues."""
