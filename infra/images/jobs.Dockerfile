# The base with PyTorch for CUDA and what else models and cameras need, 6 GB more, for jobs that train or run them. To
# train the video detector too, add the extra vision-train below: it brings ultralytics, which is AGPL-3.0.
#   docker build -f infra/images/jobs.Dockerfile --build-arg BASE=minefusion/base:0.1.0 -t minefusion/jobs:0.1.0 .
# The wheel brings CUDA's libraries; the driver is put in by NVIDIA's container runtime on the machine with the card.
# Without a card the same image works on the processor.
ARG BASE=minefusion/base:0.1.0
# hadolint ignore=DL3006
FROM ${BASE}

USER 0
RUN python /opt/minefusion/infra/bootstrap.py airflow bridges mlflow models servers spark vision
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
