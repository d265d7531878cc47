"""Reports as chapters of text, tables and drawings: one JSON file and one HTML page."""
