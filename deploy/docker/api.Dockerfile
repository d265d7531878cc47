# The HTTP interface, and beat: no torch, no models, no decoders.
#   docker build -f deploy/docker/api.Dockerfile -t real-moderation-api .
# Pin PYTHON_IMAGE by digest where you build for others.
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY deploy/constraints.txt deploy/constraints.txt
COPY pyproject.toml README.md LICENSE ./
COPY encoders encoders
COPY moderation moderation
COPY rl rl
COPY workers workers
RUN python -m venv /opt/moderation \
    && /opt/moderation/bin/pip install -c deploy/constraints.txt \
       '.[service,postgres,telemetry]' 'celery[redis]' \
    && /opt/moderation/bin/python -m compileall -q /opt/moderation/lib

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/moderation/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp MODERATION_DATA_DIR=/data MODERATION_CACHE_DIR=/cache MODERATION_RUN_DIR=/tmp/run \
    MODERATION_LOG_FORMAT=json
RUN groupadd --gid 10001 moderation \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin moderation \
    && install -d -o 10001 -g 10001 -m 0700 /data /cache
COPY --from=build /opt/moderation /opt/moderation
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8321 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8321/health/live', timeout=4)"]
ENTRYPOINT ["moderation"]
CMD ["serve", "--host", "0.0.0.0"]
