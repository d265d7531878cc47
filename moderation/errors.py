"""Errors of the domain; those of media and weights come from `encoders.errors`."""

from typing import Self

from encoders.errors import PermanentError, TransientError, TypedError

__all__ = [
    "CalibrationError",
    "ConfigurationError",
    "InternalError",
    "JudgeError",
    "ManifestError",
    "OutputError",
    "PermanentError",
    "PersonalDataError",
    "PluginError",
    "RecordError",
    "StatementError",
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


class OutputError(TransientError):
    """Results that cannot be written: a full disk, one that is read-only or gone."""

    code = "output"

    @classmethod
    def of(cls, error: OSError, what: str, *, remedy: str) -> Self:
        """`error` as a typed one; what: that could not be written."""
        return cls(
            f"{what} cannot be written: {error.strerror or error}",
            expected="a disk that takes it",
            remedy=remedy,
        )


class PluginError(ConfigurationError):
    """An entry point that is unknown, doubled or does not load."""

    code = "plugin"


class CalibrationError(ConfigurationError):
    """A calibrator that cannot be fitted, read, or applied to these scores."""

    code = "calibration"


class JudgeError(PermanentError):
    """The judge cannot score this item."""

    code = "judge"


class InternalError(PermanentError):
    """A fault of this program's own while it worked on one item."""

    code = "internal"

    @classmethod
    def of(cls, error: Exception) -> Self:
        """`error` as a typed one, which names its class and where it was raised."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = "" if trace is None else f" in {trace.tb_frame.f_code.co_qualname}"
        typed = cls(
            f"{type(error).__name__}{where}: {error}",
            expected="no fault",
            remedy="Please report it, with the file if you may share it.",
        )
        typed.__cause__ = error
        return typed


class TokenizerError(ConfigurationError):
    """A tokenizer whose digits are not one token each."""

    code = "tokenizer"


class RecordError(PermanentError):
    """An audit record that is not written as it must be, or a chain that cannot be read."""

    code = "record"


class StatementError(PermanentError):
    """A statement of reasons that the DSA Transparency Database would not take."""

    code = "statement"


class PersonalDataError(StatementError):
    """Free text that seems to name or reach a person."""

    code = "personal_data"
