"""Plots as SVG in the page: pure functions of numbers. Marks have classes; lead.css paints them."""
