"""Files of a batch, scored elsewhere for `moderation score --engine`. docs/workers.md."""
