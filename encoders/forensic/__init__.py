"""Weight-free forensic signals: numpy, scipy and Pillow only."""

from encoders.forensic.encoder import ForensicEncoder
from encoders.forensic.temporal import frame_steps, second_difference_std, step_changes

__all__ = ["ForensicEncoder", "frame_steps", "second_difference_std", "step_changes"]
