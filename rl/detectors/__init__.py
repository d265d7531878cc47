"""Cheap detectors to compare a judge with; a judge that loses to one of them must say so."""
