# For who only reads: SQL and reports from the tables, without Java, Spark or Airflow; a tenth of the base's size.
#   docker build -f infra/images/serving.Dockerfile -t minefusion/serving:0.1.0 .
#   docker run --rm --read-only --env-file reader.env minefusion/serving:0.1.0 sql "select count(*) from gold.alarm"
FROM python:3.11-slim-bookworm

WORKDIR /opt/minefusion
COPY pyproject.toml README.md LICENSE ./
COPY infra infra
COPY schemas schemas
COPY models models
COPY pipelines pipelines
COPY serving serving
# The same versions as everywhere; the lock's hashes are left out, since pip would want one for this folder too.
RUN sed -n 's/^\([A-Za-z0-9_.-]*==[^ ;\\]*\).*/\1/p' infra/requirements.lock > versions.txt \
    && python -m pip install --no-cache-dir --constraint versions.txt . \
    && rm versions.txt \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/minefusion minefusion \
    && install --directory --owner=10001 --group=10001 /var/lib/minefusion

ENV PYTHONDONTWRITEBYTECODE=1 HOME=/var/lib/minefusion MINEFUSION_HOME=/var/lib/minefusion
USER 10001:10001
WORKDIR /var/lib/minefusion
ENTRYPOINT ["minefusion"]
CMD ["--help"]
