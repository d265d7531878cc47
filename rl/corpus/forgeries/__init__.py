"""Forgery recipes: pure functions on arrays, all chance from the Generator they are given."""
