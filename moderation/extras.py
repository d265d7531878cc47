"""Which optional part of this distribution brings which package; imports none of them."""

from importlib.util import find_spec

from moderation.errors import ConfigurationError

SCORING = ("torch", "transformers", "safetensors", "open_clip", "whisper", "scipy", "av", "PIL")

_EXTRAS = {
    "judge": (
        *SCORING,
        *("accelerate", "decord", "gguf", "huggingface_hub", "matplotlib", "peft"),
        *("pdqhash", "pillow_heif", "psutil", "pyarrow", "sklearn", "timm", "torchvision"),
    ),
    "train": ("cv2", "pyworld"),
    "workers": ("celery", "redis"),
    "ray": ("ray",),
    "service": ("alembic", "fastapi", "httpx", "prometheus_client", "sqlalchemy", "uvicorn"),
    "postgres": ("psycopg",),
    "telemetry": ("opentelemetry",),
}


def require_installed(*modules: str) -> None:
    """Find out, without importing them, that `modules` are installed.

    Raises:
        ConfigurationError: one is not; it says which extra brings it.
    """
    for module in modules:
        if find_spec(module) is None:
            raise not_installed(module) or ModuleNotFoundError(module, name=module)


def not_installed(module: str) -> ConfigurationError | None:
    """The error for a module that an extra would have brought; None for any other."""
    top = module.partition(".")[0]
    for extra, modules in _EXTRAS.items():
        if top in modules:
            return ConfigurationError(
                f"the package {top!r} is not installed",
                expected=f"the {extra!r} extra of this program",
                remedy=f"Run `pip install 'real-moderation[{extra}]'`.",
            )
    return None
