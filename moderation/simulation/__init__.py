"""A discrete-event simulation of the review queue, on the very code that triages and orders."""
