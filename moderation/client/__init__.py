"""A typed client of the HTTP interface, and the check of its webhooks.

with ModerationClient("http://127.0.0.1:8321", key) as client:
    item = client.upload(Path("clip.mp4"))
    print(client.status(item.id).route)
"""

from moderation.client.errors import ApiError, ServerUnreachable
from moderation.client.session import ModerationClient
from moderation.client.types import (
    Appeal,
    Claim,
    Decision,
    Item,
    ItemStatus,
    Lease,
    Next,
    Result,
    Route,
    Task,
    Upload,
)
from moderation.webhooks.signature import SignatureRefused, WebhookVerifier

__all__ = [
    "ApiError",
    "Appeal",
    "Claim",
    "Decision",
    "Item",
    "ItemStatus",
    "Lease",
    "ModerationClient",
    "Next",
    "Result",
    "Route",
    "ServerUnreachable",
    "SignatureRefused",
    "Task",
    "Upload",
    "WebhookVerifier",
]
