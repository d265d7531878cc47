"""`moderation score --engine ray`: Ray Data streams the files through actors that score."""

import json
import math
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import ray
import ray.data

from moderation.closing import Closing
from moderation.dispatch import ScoringParts
from moderation.repeats import Repeats
from moderation.results import RunContext, escape_path
from moderation.settings import Settings, cores
from moderation.types import ItemResult, Mode
from workers.batches.actor import Memory, ScoringActor
from workers.batches.naming import absolute, as_named
from workers.batches.orders import Answer, Order
from workers.batches.ray_cluster import connect
from workers.batches.terms import scoring_terms

CORES_AN_ACTOR = 4
BLOCKS_MAX = 4000
WAITING_MAX = 256
_TICK_SECONDS = 0.2
_SCORING = (
    *("judge", "judge_plugin", "encoders", "device", "offline", "weights_dir", "cache_dir"),
    *("feature_cache_bytes", "frames_max", "frame_rate_hz", "audio_seconds_max"),
    *("decode_wall_seconds", "decode_cpu_seconds", "decode_memory_bytes", "decode_pixels_max"),
    *("decode_duration_seconds_max", "decode_frame_side_max", "decode_output_bytes_max"),
    *("decode_file_bytes_max", "provenance", "trust_anchors"),
)
"""Settings that actors are told, where they were set; passwords and places of data are not."""


class RayEngine(Closing):
    """See `moderation.ports.BatchEngine`; loads no model in this process.

    On the cluster of RAY_ADDRESS, or with actors on this machine, which end with the engine.
    """

    is_remote: ClassVar[bool] = True

    def __init__(self, parts: ScoringParts) -> None:
        self._parts = parts
        self.judge_id, self.setup, self.limits = parts.judge_id, parts.setup, parts.limits

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """See `moderation.ports.Dispatcher`.

        Raises:
            WorkerDiffers, WorkerUnfit: an actor's judge or settings are others, or do not work.
        """
        files = list(paths)
        if not files:
            return
        connect()
        context = RunContext(mode, self.judge_id, rationales, self.setup, self.limits)
        order = Order(scoring_terms(self._parts.settings, context), mode, rationales, ())
        found = _dataset(files, order, self._parts.settings)
        named = {str(absolute(path)): str(path) for path in reversed(files)}
        repeats = Repeats()
        with _following(found) as answers:
            for path, answer in zip(files, answers, strict=True):
                [result] = answer.results()
                yield repeats.settle(as_named(result, path, named))

    def close(self) -> None:
        """End the actors, and what Ray started here."""
        ray.shutdown()
        self._parts.resources.close()


def _dataset(files: Sequence[Path], order: Order, settings: Settings) -> Any:
    """`number` and `answer` of each file, in order; nothing is begun yet."""
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    gpus = ray.cluster_resources().get("GPU", 0) if settings.device in ("auto", "cuda") else 0
    size, many = settings.batch_items_max, min(CORES_AN_ACTOR, cores())
    rows = [
        {"number": number, "path": escape_path(str(absolute(path)))}
        for number, path in enumerate(files)
    ]
    blocks = min(math.ceil(len(rows) / size), BLOCKS_MAX)
    told = {name: getattr(settings, name) for name in _SCORING if name in settings.model_fields_set}
    return ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
        ScoringActor,
        fn_constructor_args=(
            told | {"workers": settings.workers or many, "dispatcher": "local"},
            order.to_json(),
            ray.remote(num_cpus=0)(Memory).remote(),
        ),
        batch_size=size,
        compute=ray.data.ActorPoolStrategy(min_size=1),
        num_cpus=many,
        num_gpus=1 if gpus else 0,
    )


@contextmanager
def _following(found: Any) -> Iterator[Iterator[Answer]]:
    """Answers as they come. A thread waits for Ray, so that this one can be interrupted."""
    waiting: queue.Queue[Answer | BaseException | None] = queue.Queue(WAITING_MAX)
    is_over = threading.Event()

    def put(what: Answer | BaseException | None) -> None:
        while not is_over.is_set():
            with suppress(queue.Full):
                waiting.put(what, timeout=_TICK_SECONDS)
                return

    def follow() -> None:
        try:
            # Nothing ahead: rows would wait for those after them.
            for batch in found.iter_batches(batch_size=None, prefetch_batches=0):
                for answer in batch["answer"]:
                    put(Answer.from_json(json.loads(answer)))
                if is_over.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    def come() -> Iterator[Answer]:
        while True:
            try:
                what = waiting.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                continue
            if isinstance(what, BaseException):
                raise what
            if what is None:
                return
            yield what

    threading.Thread(target=follow, name="ray", daemon=True).start()
    try:
        yield come()
    finally:
        is_over.set()
