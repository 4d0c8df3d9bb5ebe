# The image of vcam. Targets: cpu, and gpu (the default). No network's weights are inside.
#
#   docker build --target cpu -t vcam:cpu .
#   docker build -t vcam:gpu .
#   docker build --build-arg BASE_IMAGE=debian:12-slim --target cpu -t vcam:cpu .    # any Debian 12+ or Ubuntu 24.04+
#
# A release pins the base by its digest: BASE_IMAGE=nvidia/cuda@sha256:...
ARG BASE_IMAGE=nvidia/cuda:13.0.1-base-ubuntu24.04

# ---- what every stage stands on
# hadolint ignore=DL3006
FROM ${BASE_IMAGE} AS base
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY docker/packages.sh /usr/local/lib/vcam/
RUN /usr/local/lib/vcam/packages.sh runtime
ENV PATH=/opt/vcam/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# ---- a virtual environment with vcam in it; dependencies are a layer of their own
FROM base AS build-cpu
RUN /usr/local/lib/vcam/packages.sh build && python3 -m venv /opt/vcam
WORKDIR /src
COPY docker/requirements.py pyproject.toml constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 requirements.py pyproject.toml cpu service > requirements.txt \
    && pip install --disable-pip-version-check --quiet -c constraints.txt -r requirements.txt
COPY CMakeLists.txt LICENSE README.md vcam.toml ./
COPY models/manifest.toml models/
COPY vcam vcam
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --disable-pip-version-check --quiet --no-deps . && python3 -m compileall -q /opt/vcam/lib

# ---- what runs: not root, nothing writable but the state
FROM base AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="vcam" \
      org.opencontainers.image.description="Virtual camera appliance: the same person before another background" \
      org.opencontainers.image.licenses="GPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 vcam && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/vcam vcam \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/vcam
ENV VCAM_HTTP_HOST=0.0.0.0 VCAM_LOG_FORMAT=json VCAM_MODELS_DIR=/var/lib/vcam/models VCAM_PLAN_DIR=/var/lib/vcam/plans
VOLUME /var/lib/vcam
USER 10001:10001
WORKDIR /var/lib/vcam
EXPOSE 9435
# Frames must leave; an open port is not enough. Docker restarts nothing that is merely unhealthy: vcam ends by itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["python3", "-m", "vcam.service.probe"]
ENTRYPOINT ["/usr/bin/tini", "--", "vcam"]
CMD ["run"]

FROM runtime AS cpu
COPY --from=build-cpu /opt/vcam /opt/vcam
