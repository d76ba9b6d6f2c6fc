# What every service of minefusion runs in: the locked packages, Java, Delta's jars, the code. Build it in the
# repository's root:  docker build -f infra/images/base.Dockerfile -t minefusion/base:0.1.0 .
# It is set up by the same two commands as any clone, so what was tested is what runs; but the packages that only models,
# the service or the tests need, 6 GB of 8, are left out. Packages 2.1 GB, Java 0.2 GB, jars of s3a 0.5 GB.
FROM python:3.11-slim-bookworm

# A JRE of the distribution's own release line: it is moved by its security updates, not by us.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*

ENV PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1
WORKDIR /opt/minefusion
COPY pyproject.toml README.md LICENSE ./
COPY infra infra
COPY schemas schemas
COPY models models
COPY pipelines pipelines
COPY serving serving
COPY dags dags
# The jars of s3a are half a gigabyte: leave them out with  --build-arg OUTSIDE=""  where Spark reads no object store.
ARG OUTSIDE="--for-object-store"
RUN python infra/bootstrap.py airflow bridges mlflow servers spark \
    && .venv/bin/python infra/outside.py ${OUTSIDE}

# The code is root's and the service only reads it. What it writes is in /var/lib/minefusion, a volume, and in /tmp.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/minefusion minefusion \
    && install --directory --owner=10001 --group=10001 /var/lib/minefusion
ENV PATH=/opt/minefusion/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/minefusion \
    MINEFUSION_HOME=/var/lib/minefusion \
    MINEFUSION_AIRFLOW_HOME=/var/lib/minefusion/airflow \
    AIRFLOW_HOME=/var/lib/minefusion/airflow
USER 10001:10001
WORKDIR /var/lib/minefusion
CMD ["minefusion", "doctor", "--quick"]
