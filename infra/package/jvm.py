"""What Spark needs beside Python: a Java runtime and Delta's two jars.

The jars are the exact files that the release was tried with: create, append, MERGE, replaceWhere, checkpoints and
deletion vectors work with these two; the rest of what the resolver brings (kernel, Unity Catalog) is not used.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

OLDEST_JAVA = 17
DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"
DELTA_JARS = {
    "io.delta_delta-spark_4.2_2.13-4.4.0.jar": "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead",
    "io.delta_delta-storage-4.4.0.jar": "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
}
# Spark's own Kafka connector, for the bridge on Spark; what else its resolver brings, Spark has.
CONNECTOR_PACKAGE = "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"
CONNECTOR_JARS = {
    "org.apache.commons_commons-pool2-2.13.1.jar": "f77a5060d6936a9144023584232f9de3f2248f1abfe156e9d31795f18770674f",
    "org.apache.kafka_kafka-clients-3.9.2.jar": "014b4ef36884478a932641818b080c36a8f8e2e92dc771e800c9d2694f4f83d8",
    "org.apache.spark_spark-sql-kafka-0-10_2.13-4.2.0.jar": (
        "64539c45e5d39f7ddb747312c239f38f5208d08c1a0ddf7d70beb2fbd9373705"
    ),
    "org.apache.spark_spark-token-provider-kafka-0-10_2.13-4.2.0.jar": (
        "641c7947afc8aa1189e433b7c2d305293993c8691bc1c2062d6d4f513b12518c"
    ),
}
# A broker for the tests of the Kafka bridge; it takes the Scala library that Spark brings.
KAFKA_PACKAGE = "org.apache.kafka:kafka_2.13:4.1.0"
KAFKA_SHA256 = "59c20bdb92f1b1474eb422e3299ae49d3a62fe601d8b883479d823096871c347"


def java_command() -> str | None:
    """The `java` that Spark would start: JAVA_HOME's where that is set, else the first on PATH; None where none is."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")


def java_version(command: str) -> int | None:
    """Its major version; None where it does not start or does not say."""
    try:
        done = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(said.group(1)) if done.returncode == 0 and said else None


def wrong_jars(folder: Path, wanted: Mapping[str, str] | None = None) -> list[str]:
    """The wanted jars that `folder` lacks or holds damaged: Delta's, where not told otherwise."""
    return [
        name for name, sha256 in (DELTA_JARS if wanted is None else wanted).items() if _sha256(folder / name) != sha256
    ]


def wrong_kafka_jars(folder: Path) -> bool:
    """Whether `folder` lacks a jar of the broker, or holds another one."""
    whole = hashlib.sha256()
    for jar in sorted(folder.glob("*.jar")):
        whole.update(f"{jar.name} {_sha256(jar)}\n".encode())
    return whole.hexdigest() != KAFKA_SHA256


def scala_library() -> list[Path]:
    """The Scala library of the installed Spark."""
    return _jars_of_spark("scala-library-*.jar")


def hadoop_version() -> str:
    """Version of the Hadoop client in the installed Spark; its s3a must be of the same one."""
    return next(jar.stem.removeprefix("hadoop-client-api-") for jar in _jars_of_spark("hadoop-client-api-*.jar"))


def _jars_of_spark(pattern: str) -> list[Path]:
    spark = find_spec("pyspark")
    folders = spark.submodule_search_locations or [] if spark else []
    return [jar for folder in folders for jar in Path(folder).glob(f"jars/{pattern}")]


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
