"""Sub-commands of `moderation` for workers; modules here import nothing heavy."""
