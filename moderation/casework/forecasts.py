"""What a new forecast of views does to the place of an item in the queue."""

from dataclasses import replace

from sqlalchemy import select

from moderation.casework.adoption import stored_policy
from moderation.casework.statements import clause_of
from moderation.casework.tasks import revaluation
from moderation.intake.submission import update_views
from moderation.intake.types import Item, Views
from moderation.policy.harm import cost_of_wrong_action
from moderation.priority.factors import PriorityFactors, prioritise
from moderation.priority.orders import Order
from moderation.review.arrivals import revalue
from moderation.review.tables import IS_CASE, tasks
from moderation.review.transaction import Transaction


def forecast(tx: Transaction, item_id: str, views: Views, order: Order) -> Item:
    """Keep what the platform forecasts, and give the item's open tasks the priority it makes.

    order: of this deployment.

    Raises:
        UnknownItem: there is no such item.
    """
    item = update_views(tx.connection, item_id, views, now=tx.now)
    case = tx.connection.execute(
        select(tasks).where(IS_CASE, tasks.c.item_id == item_id).order_by(tasks.c.created_at.desc())
    ).first()
    # A case that an appeal opened has no factors: it is in line by its age.
    if case is not None and case.factors:
        factors = PriorityFactors.from_json(dict(case.factors))
        clause = clause_of(stored_policy(tx.connection, case.policy_version), case.clause_id)
        facts = replace(
            factors.facts,
            remaining_views=views.remaining,
            views_per_hour=views.an_hour,
            cost_of_wrong=cost_of_wrong_action(
                views.reach,
                wrong=clause.costs.wrong,
                wrong_per_view=clause.costs.wrong_per_view,
                reach_exponent=clause.costs.reach_exponent,
            ),
        )
        fresh = prioritise(
            order,
            facts,
            arrived_at=factors.arrived_at,
            sla_hours=factors.sla_hours,
            deadline_at=factors.deadline_at,
            is_deferred=factors.is_deferred,
            is_sampled=factors.is_sampled,
        )
        revalue(tx, item_id, revaluation(fresh, tx.now))
    return item
