# The base with PyTorch for CUDA, for jobs that train models or run them on a card:
#   docker build -f infra/images/jobs.Dockerfile --build-arg BASE=minefusion/base:0.1.0 -t minefusion/jobs:0.1.0 .
# The wheel brings CUDA's libraries; the driver is put in by NVIDIA's container runtime on the machine with the card.
ARG BASE=minefusion/base:0.1.0
# hadolint ignore=DL3006
FROM ${BASE}

USER 0
RUN /opt/minefusion/.venv/bin/python -m pip install --no-cache-dir torch==2.15.0
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
