"""What a reviewer is shown of an item beside its score: made once, kept, served in pieces."""
