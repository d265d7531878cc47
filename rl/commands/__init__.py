"""Sub-commands of `moderation` that make data and train. Nothing heavy is imported here."""
