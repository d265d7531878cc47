"""The HTTP interface: one module a resource, over what `moderation.app` builds."""
