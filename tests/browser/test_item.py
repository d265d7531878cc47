"""The page of one item, in a real browser: player, timeline, frames, and what a reviewer does."""
