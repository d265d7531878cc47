# A worker that scores on an NVIDIA GPU; run it with the NVIDIA container runtime.
#   docker build -f deploy/docker/worker-cuda.Dockerfile -t real-moderation-worker:cuda .
# PyTorch brings CUDA's libraries as packages; the driver comes from the machine.
# Weights are no part of it: `moderation models pull` fills /cache.
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
# Three dependencies build from source. Debian drops old versions, so a pin would break the build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY deploy/constraints.txt deploy/constraints.txt
RUN python -m venv /opt/moderation
COPY pyproject.toml README.md LICENSE ./
COPY encoders encoders
COPY moderation moderation
COPY rl rl
COPY workers workers
RUN /opt/moderation/bin/pip install -c deploy/constraints.txt '.[workers,postgres,telemetry]' \
    && /opt/moderation/bin/python -m compileall -q /opt/moderation/lib

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/moderation/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp MODERATION_DATA_DIR=/data MODERATION_CACHE_DIR=/cache MODERATION_RUN_DIR=/tmp/run \
    NUMBA_CACHE_DIR=/tmp/numba MODERATION_LOG_FORMAT=json MODERATION_DEVICE=cuda \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN groupadd --gid 10001 moderation \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin moderation \
    && install -d -o 10001 -g 10001 -m 0700 /data /cache
COPY --from=build /opt/moderation /opt/moderation
USER 10001:10001
VOLUME ["/data", "/cache"]
EXPOSE 9110-9159
STOPSIGNAL SIGTERM
# Told by the processes that do the work; a parent that answers says nothing of them.
HEALTHCHECK --interval=30s --timeout=20s --start-period=180s --retries=3 \
    CMD ["moderation", "worker", "health"]
ENTRYPOINT ["moderation"]
CMD ["worker", "--queues", "score"]
