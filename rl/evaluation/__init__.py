"""How good a judge is: everything after the scores."""
