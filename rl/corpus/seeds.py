"""Chance that depends on names only, never on the order in which things are built."""

import hashlib

import numpy as np


def seed_for(*parts: object) -> int:
    """A 64-bit seed from the text of `parts`, by SHA-256."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")


def generator_for(*parts: object) -> np.random.Generator:
    """A Generator seeded by `seed_for`."""
    return np.random.default_rng(seed_for(*parts))


def unit_for(*parts: object) -> float:
    """A number in [0, 1) from the text of `parts`."""
    return seed_for(*parts) / 2.0**64
