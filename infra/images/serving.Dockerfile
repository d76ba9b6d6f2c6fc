# For who only reads: the service, SQL and reports from the tables, without Java, Spark, Airflow or PyTorch: 1 GB of packages.
#   docker build -f infra/images/serving.Dockerfile -t minefusion/serving:0.1.0 .
#   docker run --rm --read-only --env-file reader.env minefusion/serving:0.1.0 sql "select count(*) from gold.alarm"
FROM python:3.11-slim-bookworm

ENV PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1
WORKDIR /opt/minefusion
COPY pyproject.toml README.md LICENSE ./
COPY infra infra
COPY schemas schemas
COPY models models
COPY pipelines pipelines
COPY serving serving
RUN python infra/bootstrap.py serving \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/minefusion minefusion \
    && install --directory --owner=10001 --group=10001 /var/lib/minefusion

ENV PATH=/opt/minefusion/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 HOME=/var/lib/minefusion
ENV MINEFUSION_HOME=/var/lib/minefusion
USER 10001:10001
WORKDIR /var/lib/minefusion
ENTRYPOINT ["minefusion"]
CMD ["--help"]
