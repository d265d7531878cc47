"""What a log line has, and what it never has."""

import io
import json
import logging

import pytest

from moderation.telemetry.log_format import LogFormat
from moderation.telemetry.logs import JsonFormatter, log_to_stderr


def written(form: logging.Formatter, **extra: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(form)
    logger = logging.Logger("moderation.test")
    logger.addHandler(handler)
    try:
        raise ValueError("line one\nline two")
    except ValueError:
        logger.exception("it \x1b[31m failed\nbadly %s", 3, extra=extra)
    return stream.getvalue()


def test_a_record_is_one_line_of_json_with_known_fields_only() -> None:
    text = written(JsonFormatter(), item_id="0a1b", declared_name="anna.mp4", seconds=0.5)
    assert text.count("\n") == 1
    told = json.loads(text)
    assert told["message"] == "it \x1b[31m failed\nbadly 3"
    assert (told["level"], told["logger"]) == ("error", "moderation.test")
    assert (told["item_id"], told["seconds"]) == ("0a1b", 0.5)
    assert "ValueError: line one\nline two" in told["exception"]
    assert "anna" not in text
    assert "\x1b" not in text


@pytest.fixture
def _root_logger() -> object:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


@pytest.mark.usefixtures("_root_logger")
@pytest.mark.parametrize("form", LogFormat)
def test_logging_goes_to_standard_error(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr(form)
    logging.getLogger("moderation.x").warning("there")
    logging.getLogger("httpx").info("GET http://host/?token=t")
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert (text.startswith("{")) == (form is LogFormat.JSON)
    assert "token" not in text
