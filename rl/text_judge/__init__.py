"""A judge of written answers by a rubric: the setting in which REAL was published, at any size."""
