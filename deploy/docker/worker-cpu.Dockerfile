# A worker that scores on the processor.
#   docker build -f deploy/docker/worker-cpu.Dockerfile -t real-moderation-worker:cpu .
# TORCH_INDEX: a package index with builds of PyTorch for the processor alone; without it, the image
# holds several gigabytes of CUDA libraries that it does not use.
# Weights are no part of it: `moderation models pull` fills /cache.
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG TORCH_INDEX=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
# Three dependencies build from source. Debian drops old versions, so a pin would break the build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY deploy/constraints.txt deploy/constraints.txt
RUN python -m venv /opt/moderation
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN if [ -n "${TORCH_INDEX}" ]; then \
      grep -E "^(torch|torchvision)==" deploy/constraints.txt \
      | /opt/moderation/bin/pip install --index-url "${TORCH_INDEX}" -r /dev/stdin; \
    fi
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
    NUMBA_CACHE_DIR=/tmp/numba MODERATION_LOG_FORMAT=json MODERATION_DEVICE=cpu
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
