"""Trains the judge that `moderation.judge` serves, so that the two cannot drift."""
