"""How good a judge is: metrics, bootstrap over sources, reports, and comparing generators.

Start at `evaluation.evaluate_scores` (labelled rows and recorded scores to figures), at
`comparison.compare` (outputs of generators to a ranking), or at `section.Section` (a further
chapter for the report).
"""

from rl.evaluation.comparison import compare
from rl.evaluation.ranking import Comparison

__all__ = ["Comparison", "compare"]
