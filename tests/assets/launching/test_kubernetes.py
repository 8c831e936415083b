"""What Kubernetes is told: settings, image, and what Dagster's chart makes of the values where it is at hand.

The chart's part runs with ``make helm-check CHART=…``, or with $MMM_HELM_CHART set; the rest needs no chart, and
nothing needs a cluster.
"""

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.assets.dagster_private.launched_jobs import (
    DEFAULT_DAGSTER_ENTRY_POINT,
    ConfigurableClassData,
    JobPythonOrigin,
    ModuleCodePointer,
    RepositoryPythonOrigin,
    dagster_instance_config,
    process_config,
)

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "kubernetes"
SETTINGS = yaml.safe_load((FOLDER / "dagster.yaml").read_text())
VALUES = yaml.safe_load((FOLDER / "values.yaml").read_text())
BEFORE = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
RECIPE = (FOLDER / "Dockerfile").read_text()
ENVIRONMENT = dict(line.split("=", 1) for line in (FOLDER / "environment.env").read_text().splitlines())
(CODE,) = VALUES["dagster-user-deployments"]["deployments"]
SERVED = {"daemon": VALUES["dagsterDaemon"], "webserver": VALUES["dagsterWebserver"], "code": CODE}
IMAGE = "{repository}:{tag}".format(**CODE["image"])
SERVER = "mmm-dagster-user-deployments-mmm-assets"
CHART = os.environ.get("MMM_HELM_CHART")
needs_chart = pytest.mark.skipif(
    not CHART,
    reason="Dagster's chart is not at hand: make helm-check CHART=folder (deploy/kubernetes/README.md)",
)


# --- values, settings, image ------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVED)
def test_every_pod_has_the_image_the_environment_and_no_rights(name):
    """The web server too: it imports the queue, and Dagster's own image does not have it."""
    pod = SERVED[name]
    assert pod["envConfigMaps"] == [{"name": "mmm-environment"}]
    assert "{repository}:{tag}".format(**pod["image"]) == IMAGE
    assert pod["podSecurityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert f"\nUSER {pod['podSecurityContext']['runAsUser']}\n" in RECIPE


@pytest.mark.parametrize("name", SERVED)
def test_every_path_of_the_environment_lies_on_a_volume(name):
    """Else results would end with their pod, and nothing could be written where the image is read-only."""
    mounted = {mount["mountPath"] for mount in SERVED[name]["volumeMounts"] if "subPath" not in mount}
    for variable, path in ENVIRONMENT.items():
        assert any(Path(path).is_relative_to(mount) for mount in mounted), f"${variable}"
    assert "/tmp" in mounted
    volumes = {volume["name"]: volume for volume in SERVED[name]["volumes"]}
    assert {mount["name"] for mount in SERVED[name]["volumeMounts"]} == set(volumes)


def test_what_the_pods_name_is_made_beforehand():
    """ConfigMaps and claim of `kubectl apply --kustomize`, under the names that values and launcher use."""
    made = {each["name"]: each.get("files") or each["envs"] for each in BEFORE["configMapGenerator"]}
    assert made == {"mmm-instance": ["dagster.yaml"], "mmm-environment": ["environment.env"]}
    assert BEFORE["generatorOptions"]["disableNameSuffixHash"] is True
    volume = yaml.safe_load((FOLDER / BEFORE["resources"][0]).read_text())
    for pod in SERVED.values():
        volumes = {each["name"]: each for each in pod["volumes"]}
        assert volumes["mmm"]["persistentVolumeClaim"]["claimName"] == volume["metadata"]["name"]
        assert volumes["settings"]["configMap"]["name"] in made
        assert {
            "name": "settings",
            "mountPath": f"{ENVIRONMENT['DAGSTER_HOME']}/dagster.yaml",
            "subPath": "dagster.yaml",
        } in pod["volumeMounts"]
    assert SETTINGS["run_launcher"]["config"]["instance_config_map"] in made
    assert volume["spec"]["accessModes"] == ["ReadWriteMany"]


def test_values_and_settings_name_one_database_and_one_secret():
    """The chart waits for the database of the values, Dagster uses the one of its settings."""
    database, values = SETTINGS["storage"]["custom"]["config"]["postgres_db"], VALUES["postgresql"]
    assert values["enabled"] is False
    assert (database["hostname"], database["username"], database["db_name"]) == (
        values["postgresqlHost"],
        values["postgresqlUsername"],
        values["postgresqlDatabase"],
    )
    assert (
        SETTINGS["run_launcher"]["config"]["postgres_password_secret"]
        == VALUES["global"]["postgresqlSecretName"]
    )
    assert VALUES["generatePostgresqlPasswordSecret"] is False  # it would hold the chart's password, "test"


def test_runs_are_kept_from_what_other_pods_are_kept_from():
    """What the launcher says of their pods is what the values say of the others."""
    config = SETTINGS["run_launcher"]["config"]
    assert config["security_context"] == CODE["securityContext"]
    assert config["run_k8s_config"]["pod_spec_config"]["security_context"] == CODE["podSecurityContext"]
    assert CODE["includeConfigInLaunchedRuns"]["enabled"] is True
    assert "resources" not in CODE  # they would take the place of the launcher's in each run


def test_pages_are_served_where_links_name_them():
    """Beside the web server, on the port that `kubectl port-forward` brings to 127.0.0.1."""
    from mmm_assets.pages.server import PORT

    (pages,) = VALUES["dagsterWebserver"]["extraContainers"]
    assert f'mmm_assets.pages.server "$MMM_STORAGE" {PORT} ' in pages["command"][-1]
    assert pages["image"] == IMAGE
    assert pages["envFrom"] == [{"configMapRef": {"name": "mmm-environment"}}]
    readiness = VALUES["dagsterWebserver"]["readinessProbe"]["httpGet"]
    assert readiness["httpHeaders"] == [
        {"name": "Host", "value": "localhost"}
    ]  # guards refuse the pod's address
    assert readiness["port"] == VALUES["dagsterWebserver"]["service"]["port"] > 1023  # lower ones are root's


def test_dagster_takes_the_settings(tmp_path, monkeypatch):
    """Their schema, and that of each class that they name."""
    pytest.importorskip("dagster_k8s", reason="make workers installs it")
    monkeypatch.setenv("DAGSTER_PG_PASSWORD", "secret")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copy(FOLDER / "dagster.yaml", tmp_path)
    settings, _ = dagster_instance_config(str(tmp_path))
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == 50
    for section in ("storage", "run_launcher", "run_coordinator", "compute_logs"):
        named = SETTINGS[section].get("custom", SETTINGS[section])
        taken = process_config(class_of(named).config_type(), named.get("config", {}))
        assert taken.success, (section, taken.errors)


def class_of(named: dict) -> type:
    """The class that settings name."""
    return getattr(importlib.import_module(named["module"]), named["class"])


def run_job(monkeypatch: pytest.MonkeyPatch, code_location: dict | None = None, image: str = IMAGE) -> dict:
    """The job that the launcher makes of a run, from the settings and from what the code location says of itself."""
    import dagster as dg
    import kubernetes
    from dagster_k8s import K8sRunLauncher

    monkeypatch.setenv("DAGSTER_HOME", ENVIRONMENT["DAGSTER_HOME"])
    monkeypatch.setattr(kubernetes.config, "load_incluster_config", lambda: None)
    jobs = []
    created = SimpleNamespace(
        create_namespaced_job_with_retries=lambda body, namespace: jobs.append((body, namespace))
    )
    origin = JobPythonOrigin(
        "client_refresh",
        RepositoryPythonOrigin(
            executable_path="python",
            code_pointer=ModuleCodePointer("mmm_assets.definitions", "defs"),
            container_image=image,
            entry_point=DEFAULT_DAGSTER_ENTRY_POINT,
            container_context=code_location,
        ),
    )
    named = SETTINGS["run_launcher"]
    launcher = ConfigurableClassData(
        named["module"], named["class"], yaml.safe_dump(named["config"])
    ).rehydrate(as_type=K8sRunLauncher)
    launcher._api_client = created
    with dg.DagsterInstance.ephemeral() as instance:
        launcher.register_instance(instance)
        refresh = dg.job(name="client_refresh")(lambda: None)
        run = instance.create_run_for_job(refresh, job_code_origin=origin)
        launcher._launch_k8s_job_with_args("dagster-run-1", ["dagster", "api", "execute_run"], run)
    ((job, namespace),) = jobs
    assert namespace == ("mmm" if code_location else "default")
    return kubernetes.client.ApiClient().sanitize_for_serialization(job)


def test_the_launcher_makes_the_job_of_a_run(monkeypatch):
    """Dagster's schema of its settings lets pass what it then cannot start with."""
    pytest.importorskip("dagster_k8s", reason="make workers installs it")
    pod = run_job(monkeypatch)["spec"]["template"]["spec"]
    (run,) = pod["containers"]
    assert pod["serviceAccountName"] == VALUES["global"]["serviceAccountName"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert run["securityContext"]["readOnlyRootFilesystem"] is True
    assert run["resources"]["requests"] == {"cpu": "2", "memory": "2Gi"}
    environment = {each["name"]: each for each in run["env"]}
    assert environment["DAGSTER_HOME"]["value"] == ENVIRONMENT["DAGSTER_HOME"]
    password = environment["DAGSTER_PG_PASSWORD"]["valueFrom"]["secretKeyRef"]
    assert password["name"] == VALUES["global"]["postgresqlSecretName"]


def copied() -> list[str]:
    """What the recipe copies from the folder in which it is built."""
    lines = [shlex.split(line)[1:-1] for line in RECIPE.splitlines() if line.startswith("COPY ")]
    return [name for names in lines if not names[0].startswith("--from") for name in names]


def test_the_builder_gets_what_the_recipe_copies_and_nothing_else():
    """Client files, results and .git stay out: whatever is copied may end up in a registry."""
    rules = [
        line for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in "#"
    ]
    assert rules[0] == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(copied())
    for name in copied():
        assert (ROOT / name).exists(), name
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = build["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], build["project"]["readme"], "pyproject.toml"}
    assert needed <= set(copied())


def test_the_image_starts_as_the_chart_starts_it(tmp_path):
    """The code server by its arguments; the web server by a name that leads to the guarded one."""
    command = json.loads(re.search(r"^CMD (.*)$", RECIPE, re.MULTILINE)[1])
    assert command == [
        *("dagster", "code-server", "start", "-h", "0.0.0.0", "-p", str(CODE["port"])),
        *CODE["codeServerArgs"],
    ]
    assert "ENV PATH=/opt/mmm/first:" in RECIPE
    assert "COPY deploy/kubernetes/dagster-webserver /opt/mmm/first/" in RECIPE
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "python").chmod(0o755)
    command = [FOLDER / "dagster-webserver", "-h", "0.0.0.0", "-w", "a b.yaml"]
    done = subprocess.run(
        command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "-m mmm_assets.pages.interface webserver -h 0.0.0.0 -w a b.yaml\n"
    assert importlib.util.find_spec("mmm_assets.pages.interface")


# --- the chart ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rendered() -> list[dict]:
    """What `helm template` makes of the chart and the values."""
    helm = Path(sys.executable).with_name("helm")
    for command in (["lint", CHART], ["template", "mmm", CHART, "--namespace", "mmm"]):
        done = subprocess.run(
            [helm, *command, "--values", FOLDER / "values.yaml"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return [manifest for manifest in yaml.load_all(done.stdout, UniqueKeys) if manifest]


class UniqueKeys(yaml.SafeLoader):
    """A loader that takes no key twice: clusters refuse it, and helm does not say so."""

    def construct_mapping(self, node, deep=False):
        """A mapping, as ever."""
        names = [self.construct_object(key, deep=deep) for key, _ in node.value]
        assert len(names) == len(set(names)), f"{node.start_mark}: a key twice among {names}"
        return super().construct_mapping(node, deep=deep)


def deployments(rendered: list[dict]) -> dict[str, dict]:
    """Pod specifications by the name of their deployment."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in rendered
        if each["kind"] == "Deployment"
    }


def rendered_run(rendered: list[dict], monkeypatch: pytest.MonkeyPatch) -> dict:
    """The job of a run, with what the rendered code location says of itself."""
    (server,) = deployments(rendered)[SERVER]["containers"]
    said = {each["name"]: each.get("value") for each in server["env"]}
    return run_job(monkeypatch, json.loads(said["DAGSTER_CONTAINER_CONTEXT"]), said["DAGSTER_CURRENT_IMAGE"])


@needs_chart
def test_kubernetes_knows_every_field(rendered, monkeypatch):
    """Of what the chart renders, of what is made beforehand, and of the job of a run."""
    import kubernetes_validate

    manifests = [*rendered, yaml.safe_load((FOLDER / "volume.yaml").read_text())]
    for manifest in [*manifests, rendered_run(rendered, monkeypatch)]:
        kubernetes_validate.validate(manifest, "1.37", strict=True)


@needs_chart
def test_pods_of_the_chart_have_the_image_and_one_home(rendered):
    """The last source of a variable counts: $DAGSTER_HOME is the environment's, not the chart's."""
    pods = deployments(rendered)
    assert {name.removeprefix("mmm-dagster-") for name in pods} == {
        "daemon",
        "webserver",
        "user-deployments-mmm-assets",
    }
    for name, pod in pods.items():
        main = pod["containers"][0]
        assert main["image"] == IMAGE, name
        assert {"configMapRef": {"name": "mmm-environment"}} in main["envFrom"], name
        sources = [source["configMapRef"]["name"] for source in main["envFrom"] if "configMapRef" in source]
        assert sources[-1] == "mmm-environment", name
        assert "DAGSTER_HOME" not in {each["name"] for each in main["env"]}, name
        assert pod["securityContext"]["runAsUser"] == 10001, name
        for container in pod["containers"] + pod.get("initContainers", []):
            if container["name"] != "dagster-user-deployments":
                assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            mounted = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(mounted) == len(set(mounted)), name
    assert not [each for each in rendered if each["kind"] == "Secret"]


@needs_chart
def test_the_code_location_has_its_name_and_is_found(rendered):
    """Runs that `mmm refresh` starts in a pod carry the name that workspace.yaml has on one machine."""
    named = {each["metadata"]["name"]: each for each in rendered if each["kind"] in ("ConfigMap", "Service")}
    workspace = yaml.safe_load(named["mmm-dagster-workspace-yaml"]["data"]["workspace.yaml"])
    (server,) = (each["grpc_server"] for each in workspace["load_from"])
    (local,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert server["location_name"] == local["python_module"]["location_name"]
    (port,) = named[server["host"]]["spec"]["ports"]
    assert server["port"] == port["port"] == CODE["port"]


@needs_chart
def test_a_run_has_what_the_code_server_has(rendered, monkeypatch):
    """The image, each folder, the environment, the database's password; and dagster.yaml in its home."""
    pod = rendered_run(rendered, monkeypatch)["spec"]["template"]["spec"]
    (run,) = pod["containers"]
    (server,) = deployments(rendered)[SERVER]["containers"]
    assert run["image"] == server["image"]
    assert {"configMapRef": {"name": "mmm-environment"}} in run["envFrom"]
    mounts = {mount["mountPath"]: mount["name"] for mount in run["volumeMounts"]}
    assert len(mounts) == len(run["volumeMounts"])
    for mount in server["volumeMounts"]:
        assert mounts[mount["mountPath"]] == mount["name"]
    assert f"{ENVIRONMENT['DAGSTER_HOME']}/dagster.yaml" in mounts
    assert pod["serviceAccountName"] == deployments(rendered)[SERVER]["serviceAccountName"] == "mmm"
