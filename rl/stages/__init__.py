"""A training run is a row of stages; each is a recipe's table and a module that trains by it."""
