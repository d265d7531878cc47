"""The rules of a deployment: thresholds, costs, clauses and reasons, as versioned TOML."""
