"""What comes in: bytes by their hash, items, the work they make, and what became of them."""
