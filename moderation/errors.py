"""Errors of the domain; those of media and weights come from `encoders.errors`."""

from encoders.errors import PermanentError, TransientError, TypedError

__all__ = [
    "ConfigurationError",
    "JudgeError",
    "ManifestError",
    "PermanentError",
    "PluginError",
    "TokenizerError",
    "TransientError",
    "TypedError",
]


class ConfigurationError(PermanentError):
    """A setting, recipe or policy that cannot work as written."""

    code = "configuration"


class ManifestError(ConfigurationError):
    """A list of inputs that cannot be read."""

    code = "manifest"


class PluginError(ConfigurationError):
    """An entry point that is unknown, doubled or does not load."""

    code = "plugin"


class JudgeError(PermanentError):
    """The judge cannot score this item."""

    code = "judge"


class TokenizerError(ConfigurationError):
    """A tokenizer whose digits are not one token each."""

    code = "tokenizer"
