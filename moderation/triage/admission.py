"""The bar in front of the review queue, which rises with the backlog.

Beyond capacity some items wait for ever, whatever the order. The bar says which: those whose
review avoids least harm a minute. They are *deferred*, not decided: their route stays REVIEW, they
wait behind all that is admitted, and they are served as soon as nothing else waits. Nothing is
allowed or enforced because people are busy; that would break the bounds of risk control.

Why a bar at all, if the order puts such items last? It keeps ageing from lifting them over items
that do more harm, it lets a queue promise times to what it admits, and it is said in the record.
The backlog counts admitted work only. If deferred work counted too, the bar would never sink.
Items in a legal lane and drawn items are never deferred: the first must be decided in time, the
second would no longer be a sample.
"""

from bisect import bisect_right

from moderation.policy.schema import Admission


def admission_bar(admission: Admission, backlog_hours: float) -> float:
    """Least avoidable harm a minute of review that gets in line, at this backlog."""
    curve = admission.curve
    if not curve:
        return 0.0
    after = bisect_right(curve, backlog_hours, key=lambda point: point.backlog_hours)
    if after == 0:
        return curve[0].bar
    if after == len(curve):
        return curve[-1].bar
    left, right = curve[after - 1], curve[after]
    way = (backlog_hours - left.backlog_hours) / (right.backlog_hours - left.backlog_hours)
    return left.bar + way * (right.bar - left.bar)
