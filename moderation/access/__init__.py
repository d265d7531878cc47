"""Who may use the API: keys, their roles, and how often."""
