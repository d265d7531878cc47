"""Graded forgeries made from genuine media."""
