"""What happens to an item from its arrival to its end: the stages, joined in one direction."""
