"""Any policy over recorded scores: what would have changed."""
