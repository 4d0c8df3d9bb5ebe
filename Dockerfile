# The image of vcam. Targets: gpu (the default), and cpu. No network's weights are inside.
#
#   docker build -t vcam:gpu .
#   docker build --target cpu -t vcam:cpu .
#   docker build --target cpu --build-arg BASE_IMAGE=debian:12-slim -t vcam:cpu .    # any Debian 12+ or Ubuntu 24.04+
#   docker build --build-arg TENSORRT=cu13 --build-arg NVIDIA_INDEX=https://... -t vcam:gpu .    # instead of TensorRT-RTX
#
# A release pins the base by its digest: BASE_IMAGE=nvidia/cuda@sha256:... Everything else is pinned by constraints.txt
# and docker/build.txt. No `# syntax=` line: it would have every build fetch a front end.
ARG BASE_IMAGE=nvidia/cuda:13.0.1-base-ubuntu24.04

# ---- what every stage stands on
# hadolint ignore=DL3006
FROM ${BASE_IMAGE} AS base
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY docker/packages.sh /usr/local/lib/vcam/
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=tmpfs,target=/var/lib/apt/lists \
    /usr/local/lib/vcam/packages.sh runtime
ENV PATH=/opt/vcam/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# ---- which libraries; a stage of its own, so that pyproject.toml may change without their being installed again
FROM base AS wanted
WORKDIR /src
COPY docker/requirements.py pyproject.toml ./
RUN python3 requirements.py pyproject.toml cpu service >cpu.txt && python3 requirements.py pyproject.toml gpu >gpu.txt

# ---- compilers; /opt/build is for building only, /opt/vcam becomes the image's, without pip
FROM base AS tools
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=tmpfs,target=/var/lib/apt/lists \
    /usr/local/lib/vcam/packages.sh build && python3 -m venv /opt/build && python3 -m venv --without-pip /opt/vcam
WORKDIR /src
COPY constraints.txt docker/build.txt ./
RUN cat constraints.txt build.txt >pins.txt
ENV PATH=/opt/build/bin:$PATH PIP_CONSTRAINT=/src/pins.txt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1
RUN --mount=type=cache,target=/root/.cache/pip pip install --quiet --requirement build.txt

# ---- libraries that run anywhere
FROM tools AS libraries
COPY docker/trim.py ./
COPY --from=wanted /src/cpu.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip --python /opt/vcam install --quiet --requirement cpu.txt
RUN find /opt/vcam/lib/python3*/site-packages/av -name '*.so' -exec strip --strip-debug {} + \
    && python3 trim.py /opt/vcam/lib/python3*/site-packages \
    && /opt/vcam/bin/python3 -c 'import av, onnx, onnxruntime, onnxsim, openvino, scipy.ndimage' \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/vcam/lib

# ---- pycuda, which PyPI has as source only; needs CUDA's headers, no GPU. The wheel of each distribution is kept
FROM tools AS pycuda
COPY scripts/cuda_headers.sh scripts/pycuda_wheel.sh scripts/
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=cache,target=/root/.cache/wheels \
    . /etc/os-release && kept=/root/.cache/wheels/${ID}-${VERSION_ID} \
    && PYTHON=/opt/build/bin/python3 scripts/pycuda_wheel.sh "${kept}" \
    && install -D --target-directory=/wheels "${kept}/pycuda-$(sed -n 's/^pycuda==//p' constraints.txt)"-*.whl

# ---- libraries for NVIDIA's GPUs, over the others
FROM libraries AS gpu-libraries
ARG TENSORRT=rtx
ARG NVIDIA_INDEX=
COPY docker/tensorrt.sh ./
COPY --from=wanted /src/gpu.txt ./
RUN NVIDIA_INDEX=${NVIDIA_INDEX} ./tensorrt.sh "${TENSORRT}" python3 >tensorrt.txt
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,from=pycuda,source=/wheels,target=/wheels \
    pip --python /opt/vcam install --quiet --prefix /opt/gpu --find-links /wheels --requirement gpu.txt \
        --requirement tensorrt.txt \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/gpu/lib

# ---- CUDA kernels; nvcc is that of the base, else PyPI's
FROM tools AS kernels
COPY scripts/build_kernels.py scripts/
COPY vcam/__init__.py vcam/errors.py vcam/
COPY vcam/cuda/__init__.py vcam/cuda/fatbin.py vcam/cuda/
COPY vcam/cuda/kernels vcam/cuda/kernels
COPY vcam/native/*.h vcam/native/
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=cache,target=/src/build \
    python3 scripts/build_kernels.py --fetch \
    && to=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib", vars={"base": "/opt/kernels"}))')/vcam/cuda \
    && install -D --mode=644 --target-directory="${to}" vcam/cuda/vcam.fatbin

# ---- vcam itself
FROM tools AS app
COPY CMakeLists.txt LICENSE README.md pyproject.toml vcam.toml ./
COPY models/manifest.toml models/
COPY vcam vcam
RUN pip wheel --quiet --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/vcam install --quiet --no-cache-dir --no-deps --prefix /opt/app /wheels/*.whl \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/app/lib

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
EXPOSE 9435 9436
# Frames must leave; an open port is not enough. Docker restarts nothing that is merely unhealthy: vcam ends by itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["python3", "-m", "vcam.service.probe"]
ENTRYPOINT ["/usr/bin/tini", "--", "vcam"]
CMD ["run"]

# Layers from what changes least to what changes most: an upgrade fetches the last one, a few MB.
FROM runtime AS cpu
COPY --link --from=libraries /opt/vcam /opt/vcam
COPY --link --from=app /opt/app /opt/vcam

FROM runtime AS gpu
# For NVIDIA's container toolkit. Whether the driver is new enough vcam finds out itself, and goes on with the CPU.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility NVIDIA_DISABLE_REQUIRE=true \
    CUDA_CACHE_PATH=/var/lib/vcam/cuda
COPY --link --from=libraries /opt/vcam /opt/vcam
COPY --link --from=gpu-libraries /opt/gpu /opt/vcam
COPY --link --from=kernels /opt/kernels /opt/vcam
COPY --link --from=app /opt/app /opt/vcam
