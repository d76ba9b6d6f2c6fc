#!/bin/sh
# Once, when the database is new: a user and a database each for Airflow and MLflow, and neither sees the other's.
set -eu
psql --set=ON_ERROR_STOP=1 --username postgres \
  --set=airflow="$AIRFLOW_DB_PASSWORD" --set=mlflow="$MLFLOW_DB_PASSWORD" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'airflow';
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE mlflow OWNER mlflow;
REVOKE CONNECT, TEMPORARY ON DATABASE airflow, mlflow, postgres FROM PUBLIC;
SQL
