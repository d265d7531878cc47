"""The composition root: the one place that builds objects out of settings."""

import inspect
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from encoders.sandbox import Sandbox
from encoders.sandbox_errors import ChildExit
from encoders.weights import WeightStore
from moderation import registry
from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.folder import CALIBRATORS, read_calibrators
from moderation.dispatch import ScoringParts
from moderation.errors import ConfigurationError
from moderation.extraction import Extractor
from moderation.extras import SCORING, require_installed
from moderation.judge.artefact import read_description
from moderation.judge.backbone import locate
from moderation.pipeline import PictureHashes, ScoringPipeline
from moderation.ports import BatchEngine, Dispatcher
from moderation.provenance import ProvenanceReader, read_trust_anchors
from moderation.registry import PluginGroup
from moderation.settings import LOCAL, Settings, cores
from moderation.setup_digests import decoder_limits, plan_id, read_request, scoring_setup
from moderation.telemetry import tracing
from moderation.types import Mode

if TYPE_CHECKING:
    from sqlalchemy import Engine

STARTER_JUDGE = Path(__file__).parent / "judge" / "starter"


def build_weights(settings: Settings) -> WeightStore:
    """The store of model weights."""
    return WeightStore(
        cache_dir=settings.cache_dir, offline=settings.offline, local_dir=settings.weights_dir
    )


def build_engine(settings: Settings) -> "Engine":
    """The deployment's database, with the schema of this version.

    Raises:
        ConfigurationError: no such database, a driver that is not installed, a later schema.
        DatabaseBusy: the database does not answer.
    """
    require_installed("sqlalchemy", "alembic")
    from moderation.database import open_engine, upgrade

    engine = open_engine(settings.database_url)
    upgrade(engine)
    return engine


def choose_device(wanted: str) -> str:
    """`auto` becomes the best device there is.

    Raises:
        ConfigurationError: a device that this machine does not have.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next((kind for kind, is_there in there.items() if is_there), "cpu")
    if not there.get(wanted.partition(":")[0], True):
        raise ConfigurationError(
            f"device {wanted!r} is not there",
            expected=f"cpu, or one of: {', '.join(k for k, v in there.items() if v) or 'none'}",
            remedy="Name another with --device or MODERATION_DEVICE; `moderation doctor` helps.",
        )
    return wanted


def build_sandbox(settings: Settings) -> Sandbox:
    """The decoder sandbox with this deployment's limits."""
    return Sandbox(limits=settings.read_limits(), on_exit=_note_child)


def _note_child(ended: ChildExit) -> None:
    """In the thread that read, so that it stands in the trace of its item."""
    tracing.add_event(
        "decoder child ended",
        {
            "exit_code": ended.exit_code,
            "killed": ended.killed,
            "cpu_seconds": ended.cpu_seconds,
            "max_rss_bytes": ended.max_rss_bytes,
        },
    )


def build_provenance(settings: Settings, sandbox: Sandbox) -> ProvenanceReader | None:
    """Reads what files say of their origin; None where the settings switch it off.

    Raises:
        ConfigurationError: the trust anchors cannot be read.
    """
    if not settings.provenance:
        return None
    return ProvenanceReader(sandbox, read_trust_anchors(settings.trust_anchors))


EncoderOptions = Mapping[str, Mapping[str, Any]]
"""Plugin name of an encoder -> keyword -> value."""


def build_extractor(
    settings: Settings, sandbox: Sandbox, *, options: EncoderOptions | None = None
) -> Extractor:
    """Readers, encoders and the feature cache.

    options: of encoders that are not to be as they come.

    Raises:
        WeightsMissing: weights are not in the cache yet.
        ConfigurationError: an option that its encoder does not have, or of one that does not run.
    """
    options = options or {}
    for name in options:
        if name not in settings.encoders:
            raise ConfigurationError(
                f"options for the encoder {name!r}, which does not run",
                expected=f"some of: {', '.join(settings.encoders)}",
                remedy="Add it to MODERATION_ENCODERS.",
            )
    import torch

    from encoders.cache import FeatureCache  # safetensors comes with what scores

    offered = {
        "weights": build_weights(settings),
        "device": choose_device(settings.device),
        # In fp32 everywhere: a judge trained on one machine reads the same features on another.
        "dtype": torch.float32,
    }
    store = None
    if settings.feature_cache_bytes:
        store = FeatureCache(
            settings.cache_dir / "features", size_bytes_max=settings.feature_cache_bytes
        )
    return Extractor(
        source=sandbox,
        encoders=tuple(
            _encoder(name, offered, options.get(name, {})) for name in settings.encoders
        ),
        request=read_request(settings),
        plan_id=plan_id(settings),
        store=store,
    )


def _encoder(name: str, offered: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """An encoder by its plugin's name, with those of `offered` that it takes, and `options`."""
    plugin = registry.load(PluginGroup.ENCODERS, name)
    known = inspect.signature(plugin).parameters.keys()
    free = sorted(known - offered.keys())
    for option in options:
        if option not in free:
            raise ConfigurationError(
                f"encoder {name!r} has no option {option!r}",
                expected=f"some of: {', '.join(free) or 'none'}",
                remedy="Correct the recipe, or the judge's description.",
            )
    taken = offered.keys() & known
    return plugin(**{key: offered[key] for key in taken}, **options)


def build_judge(settings: Settings) -> Any:
    """The judge named in the settings, on its device.

    Raises:
        ConfigurationError, WeightsMissing: the judge or its backbone is not there.
    """
    folder = judge_folder(settings)
    name = read_description(folder).backbone
    weights = build_weights(settings)
    judge = registry.load(PluginGroup.JUDGES, settings.judge_plugin)
    return judge.from_folder(
        folder,
        backbone=locate(name, weights, offline=settings.offline),
        device=choose_device(settings.device),
        backbone_files=pinned_files(name, weights),
    )


def judge_folder(settings: Settings) -> Path:
    """Where the judge named in the settings lies."""
    return STARTER_JUDGE if settings.judge == "starter" else Path(settings.judge).expanduser()


def build_calibrators(settings: Settings, judge_id: str) -> dict[Mode, FittedCalibrator]:
    """The calibrator of each mode: of the settings' folder, else those that lie with the judge.

    Raises:
        ConfigurationError: the settings' folder cannot be used, see `read_calibrators`.
        CalibrationError: one is damaged, or of another judge.
    """
    if settings.calibrators is not None:
        return read_calibrators(settings.calibrators, judge_id)
    folder = judge_folder(settings)
    shipped = folder / CALIBRATORS
    if not shipped.is_dir() or read_description(folder).judge_id != judge_id:
        return {}
    return read_calibrators(shipped, judge_id)


def pinned_files(backbone: str, weights: WeightStore) -> dict[str, str] | None:
    """SHA-256 of a backbone's files by name, which the store saw to; None if it is not there."""
    if backbone not in weights.names:
        return None
    return {output.name: output.sha256 for output in weights.artefact(backbone).outputs}


def build_pipeline(
    settings: Settings, sandbox: Sandbox, *, picture_hashes: PictureHashes | None = None
) -> ScoringPipeline:
    """Extractor and judge together, loaded. picture_hashes: see `ScoringPipeline`.

    Raises:
        ConfigurationError: the judge was trained on other encoders than those in use.
        WeightsMissing: weights are not in the cache yet.
    """
    options = read_description(judge_folder(settings)).encoder_options
    extractor = build_extractor(settings, sandbox, options=options)
    judge = build_judge(settings)
    judge.require_encoders({encoder.name: encoder.version for encoder in extractor.encoders})
    return ScoringPipeline(
        extractor=extractor,
        judge=judge,
        workers=settings.workers or cores(),
        provenance=build_provenance(settings, sandbox),
        picture_hashes=picture_hashes,
    )


def build_dispatcher(
    settings: Settings, *, picture_hashes: PictureHashes | None = None
) -> Dispatcher:
    """What scores files in this process; models are loaded with the first good file.

    picture_hashes: see `ScoringPipeline`; they take time, and only who compares files needs them.

    Raises:
        ConfigurationError, WeightsMissing: see `build_batch_engine`; or it scores elsewhere.
    """
    if getattr(_engine(settings), "is_remote", False):
        raise ConfigurationError(
            f"the dispatcher {settings.dispatcher!r}, which has batches scored elsewhere",
            expected=f"one that scores in this process, such as {LOCAL}",
            remedy="Unset MODERATION_DISPATCHER, and name it with `moderation score --engine`.",
        )
    return cast(Dispatcher, build_batch_engine(settings, picture_hashes=picture_hashes))


def build_batch_engine(
    settings: Settings, *, picture_hashes: PictureHashes | None = None
) -> BatchEngine:
    """Everything that `moderation score` needs; a remote engine needs neither models nor torch.

    Raises:
        ConfigurationError, WeightsMissing: found without loading anything: a package, plugin,
            judge or backbone that is not there, or an altered judge.
    """
    plugin = _engine(settings)
    description = read_description(judge_folder(settings))
    if not getattr(plugin, "is_remote", False):
        for group, name in sorted(settings.plugins):
            registry.find(group, name)
        weights = build_weights(settings)
        if description.backbone in weights.names:
            weights.path(description.backbone)
    with ExitStack() as on_failure:
        resources = on_failure.enter_context(ExitStack())
        sandbox = resources.enter_context(build_sandbox(settings))
        engine: BatchEngine = plugin(
            ScoringParts(
                settings=settings,
                load=lambda: build_pipeline(settings, sandbox, picture_hashes=picture_hashes),
                read=partial(sandbox.read, request=read_request(settings)),
                resources=resources,
                judge_id=description.judge_id,
                setup=scoring_setup(settings, description),
                limits=decoder_limits(settings),
            )
        )
        on_failure.pop_all()  # from here on the engine closes them
        return engine


def _engine(settings: Settings) -> Any:
    if settings.dispatcher == LOCAL:
        require_installed(*SCORING)
    return registry.load(PluginGroup.DISPATCHERS, settings.dispatcher)
