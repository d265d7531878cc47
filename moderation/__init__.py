"""The domain: judging media for authenticity. Torch-free outside `moderation.judge`."""

__version__ = "0.1.0"
