"""Pure ordering of review tasks: what a review is worth, how it ages, and which lane it is in."""
