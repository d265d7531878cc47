"""What rollouts may be trained towards: REAL and what it is compared with, one module each."""
