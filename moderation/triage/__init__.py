"""Pure triage: a calibrated score, bounds, a policy and a context become a route."""
