"""What `moderation doctor` looks at; each check answers, whatever is broken."""

import importlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from moderation import __version__
from moderation.cli.finding import Finding, Verdict
from moderation.cli.judge_check import judge_findings
from moderation.cli.service_check import service_findings
from moderation.settings import PREFIX, Settings, cores, without_password

_INSTALL = "Install real-moderation[judge]."
_PACKAGES = ("torch", "transformers", "peft", "open-clip-torch", "openai-whisper", "timm", "scipy")
_FREE_BYTES_NEEDED = 2**30


def run_checks(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a person would fix things."""
    checks: tuple[Callable[[Settings], list[Finding]], ...] = (
        _program,
        settings_findings,
        _packages,
        _ffmpeg,
        _decoders,
        _stills,
        device_findings,
        _weights,
        judge_findings,
        sandbox_findings,
        _cache,
        _services,
    )
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += check(settings)
        except Exception as error:
            # A broken package may raise anything: that is what the doctor is asked about.
            name = check.__name__.lstrip("_").removesuffix("_findings")
            detail = f"{type(error).__name__}: {error}"
            findings.append(Finding(name, Verdict.MISSING, detail, f"Repair it, or: {_INSTALL}"))
    return findings


def _program(_: Settings) -> list[Finding]:
    python = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return [Finding("program", Verdict.OK, f"real-moderation {__version__}, {python}")]


def settings_findings(settings: Settings) -> list[Finding]:
    """What differs from the defaults."""
    usual = Settings.model_construct()
    changed = [
        f"{PREFIX}{name.upper()}={without_password(getattr(settings, name))}"
        for name in Settings.model_fields
        if getattr(settings, name) != getattr(usual, name)
    ]
    return [Finding("settings", Verdict.OK, ", ".join(changed) or "all as by default")]


def _packages(_: Settings) -> list[Finding]:
    found, absent = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    if absent:
        detail = f"not installed: {', '.join(absent)}"
        return [Finding("packages", Verdict.MISSING, detail, _INSTALL)]
    return [Finding("packages", Verdict.OK, ", ".join(found))]


def _ffmpeg(_: Settings) -> list[Finding]:
    program = shutil.which("ffmpeg")
    if program is None:
        remedy = "Install ffmpeg to build the demonstration files; scoring does not need it."
        return [Finding("ffmpeg", Verdict.LIMITED, "no such command", remedy)]
    shown = subprocess.run(
        [program, "-version"], capture_output=True, text=True, timeout=20, check=True
    )
    return [Finding("ffmpeg", Verdict.OK, shown.stdout.partition(" Copyright")[0])]


def _import(name: str) -> tuple[Any, str]:
    """A module and its version, or None and why not."""
    try:
        module = importlib.import_module(name)
    except Exception as error:  # a binary wheel may fail in any way
        return None, f"{type(error).__name__}: {error}"
    return module, str(getattr(module, "__version__", ""))


def _decoders(_: Settings) -> list[Finding]:
    av, av_version = _import("av")
    decord, decord_version = _import("decord")
    findings = [
        Finding("PyAV", Verdict.OK, f"av {av_version}")
        if av
        else Finding("PyAV", Verdict.MISSING, av_version, _INSTALL)
    ]
    if decord:
        findings.append(Finding("decord", Verdict.OK, f"decord {decord_version}"))
    else:
        remedy = f"PyAV reads everything meanwhile, more slowly. {_INSTALL}"
        findings.append(Finding("decord", Verdict.LIMITED, decord_version, remedy))
    return findings


def _stills(_: Settings) -> list[Finding]:
    pillow, told = _import("PIL")
    if not pillow:
        return [Finding("Pillow", Verdict.MISSING, told, _INSTALL)]
    features = importlib.import_module("PIL.features")
    heif, heif_told = _import("pillow_heif")
    supported = {
        "JPEG": bool(features.check("jpg")),
        "PNG": bool(features.check("zlib")),
        "WebP": bool(features.check("webp")),
        "AVIF": bool(features.check("avif")),
        "HEIC": heif is not None,
    }
    able = ", ".join(name for name, works in supported.items() if works)
    unable = ", ".join(name for name, works in supported.items() if not works)
    if not unable:
        return [Finding("Pillow", Verdict.OK, f"pillow {told}: {able}")]
    detail = f"pillow {told}: {able}; cannot read {unable}"
    if not heif:
        detail += f" ({heif_told})"
    return [Finding("Pillow", Verdict.LIMITED, detail, f"For {unable}: {_INSTALL}")]


def device_findings(settings: Settings) -> list[Finding]:
    torch = importlib.import_module("torch")
    has_cuda = bool(torch.cuda.is_available())
    wanted = settings.device
    if wanted.startswith("cuda") and not has_cuda:
        remedy = "Set MODERATION_DEVICE=auto, or make the GPU visible to this process."
        return [Finding("device", Verdict.MISSING, f"{wanted} is set, and not there", remedy)]
    if has_cuda and wanted != "cpu":
        name = torch.cuda.get_device_name()
        dtype = "bf16" if torch.cuda.is_bf16_supported() else "fp32"
        return [Finding("device", Verdict.OK, f"{wanted}: CUDA, {name}, judge in {dtype}")]
    if wanted == "mps" or (wanted == "auto" and torch.backends.mps.is_available()):
        return [Finding("device", Verdict.OK, f"{wanted}: Apple GPU, fp32")]
    here = cores()
    count = f"{here} core" + "s" * (here > 1)
    return [Finding("device", Verdict.OK, f"{wanted}: CPU, {count}, fp32")]


def _weights(settings: Settings) -> list[Finding]:
    weights = importlib.import_module("encoders.weights")
    store = weights.WeightStore(cache_dir=settings.cache_dir, offline=True)
    findings = []
    for row in store.list():
        detail = f"{row.description}: {row.status}"
        if row.status in {"present", "verified"}:
            findings.append(Finding(row.name, Verdict.OK, detail))
        else:
            remedy = f"Run `moderation models pull {row.name}`."
            findings.append(Finding(row.name, Verdict.MISSING, detail, remedy))
    return findings


def sandbox_findings(settings: Settings) -> list[Finding]:
    sandbox = importlib.import_module("encoders.sandbox")
    protections = sandbox.Sandbox.protections()
    limits = settings.read_limits()
    bounds = f"{limits.wall_seconds:g} s and {limits.memory_bytes / 2**30:.1f} GiB a file"
    active = [name.replace("_", " ") for name, is_active in protections.items() if is_active]
    absent = [name.replace("_", " ") for name, is_active in protections.items() if not is_active]
    detail = f"{bounds}; {', '.join(active) or 'no protection'}"
    if not absent:
        return [Finding("sandbox", Verdict.OK, detail)]
    remedy = (
        "Run on Linux 5.13 or newer, in a container that lets processes confine themselves "
        "(Landlock, seccomp); until then feed it no hostile files."
    )
    return [Finding("sandbox", Verdict.LIMITED, f"{detail}; missing: {', '.join(absent)}", remedy)]


def _cache(settings: Settings) -> list[Finding]:
    folder = settings.cache_dir
    present = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(present, os.W_OK | os.X_OK):
        remedy = "Name a writable folder in MODERATION_CACHE_DIR."
        return [Finding("cache", Verdict.MISSING, f"{folder} cannot be written", remedy)]
    size = sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file())
    free = shutil.disk_usage(present).free
    detail = f"{folder}: {size / 2**20:,.0f} MiB, {free / 2**30:.1f} GiB free"
    if free < _FREE_BYTES_NEEDED:
        return [Finding("cache", Verdict.LIMITED, detail, "Free at least 1 GiB there.")]
    return [Finding("cache", Verdict.OK, detail)]


def _services(settings: Settings) -> list[Finding]:
    where = "in this process" if settings.dispatcher == "local" else "by a plugin"
    engine = Finding("engine", Verdict.OK, f"{settings.dispatcher}: files are scored {where}")
    return [engine, *service_findings(settings)]
