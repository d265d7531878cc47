"""Requests that this server makes itself: only to public addresses, bounded in size and time."""
