"""What `moderation doctor` asks of the judge: is it there, is it whole, and does it load?"""

import importlib
from typing import Any

from moderation.cli.finding import Finding, Verdict
from moderation.errors import TypedError
from moderation.settings import Settings


def judge_findings(settings: Settings) -> list[Finding]:
    """The judge's files, its backbone, then all of it loaded as scoring would."""
    app = importlib.import_module("moderation.app")
    artefact = importlib.import_module("moderation.judge.artefact")
    try:
        description = artefact.read_description(app.judge_folder(settings))
    except TypedError as error:
        return [_missing("judge", error)]
    backbone = _backbone(settings, app, description)
    if backbone.verdict is Verdict.MISSING:
        return [backbone]
    return [backbone, _loaded(settings, app, description)]


def _missing(name: str, error: TypedError) -> Finding:
    return Finding(name, Verdict.MISSING, f"{error.found}; expected {error.expected}", error.remedy)


def _backbone(settings: Settings, app: Any, description: Any) -> Finding:
    name, pinned = description.backbone, description.backbone_files
    module = importlib.import_module("moderation.judge.backbone")
    weights = app.build_weights(settings)
    try:
        # Without the network: the doctor looks at what is here.
        folder = module.locate(name, weights, offline=True)
        module.require_files(pinned, folder)
    except TypedError as error:
        return _missing("backbone", error)
    if not pinned:
        remedy = "Train or export the judge again, so that no other backbone passes for it."
        detail = f"{name} in {folder}; the judge does not say by SHA-256 which it is"
        return Finding("backbone", Verdict.LIMITED, detail, remedy)
    detail = f"{name} in {folder}: {len(pinned)} files, those that the judge was trained around"
    return Finding("backbone", Verdict.OK, detail)


def _loaded(settings: Settings, app: Any, description: Any) -> Finding:
    try:
        with app.build_sandbox(settings) as sandbox:
            app.build_pipeline(settings, sandbox)
    except TypedError as error:
        return _missing("judge", error)
    read = ", ".join(description.encoders) or "no encoder by version"
    detail = f"{description.judge_id} loads; its encoders ({read}) are those it was trained on"
    return Finding("judge", Verdict.OK, detail)
