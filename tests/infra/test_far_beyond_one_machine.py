"""Images, compose file, Kubernetes manifests: valid for their validators, least rights, no secret, real commands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from minefusion.cli.app import VERBS
from minefusion.schemas.settings import PROJECT, load_settings

INFRA = PROJECT / "infra"
BASE = INFRA / "kubernetes" / "base"
BIN = Path(sys.executable).parent
COMPOSE = INFRA / "compose"
# Images that others publish; all else is built from infra/images.
OTHERS = ("postgres:", "minio/minio:", "minio/mc:")
SECRET = re.compile(r"PASSWORD|SECRET|KEY|_CONN|STORE_URI")
NO_SECRET = ("", "minefusion-jobs")  # the second is a user's name


def compose() -> dict[str, Any]:
    """The compose file with its variables filled in, as `docker compose` does before it checks."""
    text = (COMPOSE / "compose.yaml").read_text("utf-8")
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    return yaml.safe_load(re.sub(r"\$\{LANDING:\?[^}]*\}", "/srv/landing", text))


def manifests() -> list[dict[str, Any]]:
    """Every document of the files that the kustomization names."""
    named = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted(named) == sorted(path.name for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml")
    return [each for name in named for each in yaml.safe_load_all((BASE / name).read_text("utf-8"))]


def pods(every: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, labels and spec of every pod that the manifests start."""
    for each in every:
        spec = each.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            yield each["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def checked_compose(services: Mapping[str, Any]) -> None:
    from compose_spec import PyCompose

    PyCompose.from_json(json.dumps(services)).validate()


def test_compose_follows_its_specification():
    checked_compose(compose())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [('"restart"', '"restrat"'), ('["data"]', '["nowhere"]'), ('"memory": "1g"', '"memory": "much"')],
)
def test_the_compose_check_finds_a_slip(right: str, wrong: str):
    text = json.dumps(compose())
    assert right in text
    with pytest.raises(ValueError, match=r"\w"):
        checked_compose(json.loads(text.replace(right, wrong)))


def test_every_compose_service_has_least_rights():
    services = compose()["services"]
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] not in ("0", "root"), name
        assert service["image"].startswith(("minefusion/", *OTHERS)), name
        assert not service["image"].endswith(":latest"), name
        assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert set(service.get("depends_on", [])) <= set(services), name
    assert compose()["networks"]["data"]["internal"] is True


def test_every_env_file_has_an_example_without_a_secret():
    wanted = {name for service in compose()["services"].values() for name in service.get("env_file", [])}
    examples = {path.name.removesuffix(".example"): path for path in COMPOSE.glob("*.env.example")}
    assert wanted == set(examples)
    for path in (*examples.values(), *(INFRA / "kubernetes").glob("*.env.example")):
        for line in path.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            if not line.startswith("#") and SECRET.search(name) and not name.endswith("_FILE"):
                assert value in NO_SECRET, f"{path.name}: {name}"


def test_a_secret_that_is_filled_in_stays_untracked():
    ignored = (PROJECT / ".gitignore").read_text("utf-8").splitlines()
    assert {"*.env", "infra/compose/secrets/"} <= set(ignored)
    assert "**/*.env" in (PROJECT / ".dockerignore").read_text("utf-8").splitlines()


def test_the_examples_are_settings_that_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A key that is none is an error of `load_settings`; so is a value that does not fit."""
    shutil.copy(INFRA / "spark" / "minefusion.toml.example", tmp_path / "minefusion.toml")
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert (settings.engine, settings.tables) == ("spark", "s3://lake/tables")
    given = [line for name in ("common", "airflow") for line in (COMPOSE / f"{name}.env.example").open()]
    [config] = [
        each for each in manifests() if each["metadata"]["name"] == "minefusion" and each["kind"] == "ConfigMap"
    ]
    given += [f"{name}={value}" for name, value in config["data"].items()]
    for line in given:
        name, _, value = line.strip().partition("=")
        if name.startswith("MINEFUSION_") and value:
            monkeypatch.setenv(name, value)
    assert load_settings().spark.master == "spark://spark-master:7077"


def test_manifests_follow_kubernetes_schemas():
    import kubernetes_validate

    every = manifests()
    assert {each["kind"] for each in every} >= {"CronJob", "Deployment", "NetworkPolicy", "PersistentVolumeClaim"}
    for each in every:
        kubernetes_validate.validate(each, "1.37", strict=True)
        assert each["kind"] != "Secret"
    slip = json.loads(json.dumps(every[-1]).replace('"schedule"', '"shedule"'))
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(slip, "1.37", strict=True)


def test_kustomize_renders_the_same():
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("rendering needs kubectl; the documents themselves are checked beside")
    done = subprocess.run([kubectl, "kustomize", str(BASE)], capture_output=True, text=True, check=True)
    rendered = {(each["kind"], each["metadata"]["name"]) for each in yaml.safe_load_all(done.stdout)}
    assert rendered == {(each["kind"], each["metadata"]["name"]) for each in manifests()}


def test_every_pod_has_least_rights_and_limits():
    started = list(pods(manifests()))
    assert {name for name, _, _ in started} == {"take-in", "rebuild-yesterday", "spark-master", "spark-worker"}
    accounts = {each["metadata"]["name"]: each for each in manifests() if each["kind"] == "ServiceAccount"}
    for name, _, spec in started:
        assert spec["automountServiceAccountToken"] is False, name
        assert accounts[spec["serviceAccountName"]]["automountServiceAccountToken"] is False, name
        whole = spec["securityContext"]
        assert whole["runAsNonRoot"] is True, name
        assert whole["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["readOnlyRootFilesystem"] is True, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"]["limits"]), name
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}, name


def test_nothing_is_reached_but_what_a_policy_names():
    policies = {each["metadata"]["name"]: each["spec"] for each in manifests() if each["kind"] == "NetworkPolicy"}
    assert policies["nothing-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, spec in policies.items():
        for rule in (*spec.get("ingress", []), *spec.get("egress", [])):
            assert rule.get("ports"), name
            assert rule.get("to") or rule.get("from"), name
    reaches = {name for name, labels, _ in pods(manifests()) if labels.get("reaches") == "object-store"}
    assert reaches == {"take-in", "rebuild-yesterday", "spark-worker"}


@pytest.mark.parametrize("image", ["base", "jobs", "serving"])
def test_an_image_passes_the_linter_and_does_not_run_as_root(image: str):
    path = INFRA / "images" / f"{image}.Dockerfile"
    linter = BIN / "hadolint"
    assert linter.is_file(), "the linter is in the extra `test`: run make setup-tests"
    done = subprocess.run([linter, "--no-color", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    lines = path.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER 10001:10001"
    allowed = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
    for copied in [part for line in lines if line.startswith("COPY ") for part in line.split()[1:-1]]:
        assert (PROJECT / copied).exists(), copied
        assert f"!{copied}" in allowed, copied


def test_the_images_hold_what_their_work_needs_in_the_versions_of_the_lock():
    held = {}
    for image in ("base", "jobs", "serving"):
        text = (INFRA / "images" / f"{image}.Dockerfile").read_text("utf-8")
        assert "==" not in text, image
        [named] = re.findall(r"infra/bootstrap\.py ((?:\w+ ?)+)", text)
        held[image] = set(named.split())
    extras = set(tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
    assert held["jobs"] == held["base"] | {"models", "vision"}
    assert held["base"] == extras - {"models", "serving", "test", "vision", "vision-train"}
    assert held["serving"] == {"serving"}


def test_every_command_is_one_that_is_installed():
    """Programs by their file in the environment that the image has too; minefusion's own verbs by name."""
    commands = [service["command"] for service in compose()["services"].values() if "command" in service]
    commands = [command for command in commands if command[0] != "server"]  # the object store's own
    for _, _, spec in pods(manifests()):
        for container in spec["containers"]:
            command = container["command"]
            lines = command[2].split(" && ") if command[0] == "sh" else [" ".join(command)]
            commands += [line.split() for line in lines]
    for command in commands:
        assert (BIN / command[0]).is_file(), command
        if command[0] == "minefusion":
            assert command[1:3] in (["--engine", "light"], ["--engine", "spark"])
            assert command[3] in VERBS
    assert {command[0] for command in commands} == {"minefusion", "airflow", "mlflow", "spark-class"}
