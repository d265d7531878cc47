"""What a score is worth: P(manipulated), intervals, bounds of risk, and drift.

Fitting uses scikit-learn and scipy; what is fitted is applied with NumPy alone. Start at
`fitting.fit_calibrator` (labelled scores to an artefact) or `calibrator.FittedCalibrator` (an
artefact to `CalibratedScore` and `RouteBounds`).
"""
