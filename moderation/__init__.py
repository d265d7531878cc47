"""The domain: judging media for authenticity. Torch-free outside `moderation.judge`."""

import os

__version__ = "0.1.0"

# OpenMP reads this once, when torch is loaded. Threads that spin at a barrier, the default, hold
# up the very neighbours that they wait for: decoders and encoders share these cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
