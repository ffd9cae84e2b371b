from pathlib import Path

import kubernetes_validate.utils
import pytest

from arena.settings import load_settings
from tests.deploy.deployment import Document, kubernetes, of_kind

# What a cluster may run: PodDisruptionBudget and Ingress have had their forms since 1.21.
VERSIONS = (kubernetes_validate.utils.all_versions()[0], kubernetes_validate.latest_version())


def pod() -> Document:
    return of_kind("Deployment")["spec"]["template"]


def container() -> Document:
    (only,) = pod()["spec"]["containers"]
    return only


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", kubernetes(), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_every_object_follows_the_schema_of_old_and_new_clusters(manifest: Document, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_field_would_be_found() -> None:
    wrong = {**of_kind("Service"), "specs": {}}

    with pytest.raises(kubernetes_validate.ValidationError, match="specs"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_settings_are_accepted(tmp_path: Path) -> None:
    config = tmp_path / "arena.toml"
    config.write_text(of_kind("ConfigMap")["data"]["arena.toml"])

    settings = load_settings(config=config, environ={})

    assert settings.allowed_hosts == (of_kind("Ingress")["spec"]["rules"][0]["host"],)
    assert settings.trusted_proxies != ()
    assert len(settings.specs()) >= 2


def test_service_deployment_and_budget_mean_the_same_pods() -> None:
    labels = pod()["metadata"]["labels"]

    selectors = [
        of_kind("Service")["spec"]["selector"],
        of_kind("Deployment")["spec"]["selector"]["matchLabels"],
        of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        pod()["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]

    assert selectors == [labels] * 4
    assert of_kind("Service", "arena-nothing")["spec"]["selector"] != labels


def test_the_variables_of_a_service_called_arena_stay_away_from_the_settings() -> None:
    # Kubernetes would set ARENA_PORT=tcp://10.0.0.7:80, which no replica could start with.
    assert pod()["spec"]["enableServiceLinks"] is False


def test_two_replicas_run_as_nobody_on_a_file_system_that_they_cannot_change() -> None:
    assert of_kind("Deployment")["spec"]["replicas"] == 2
    assert pod()["spec"]["securityContext"]["runAsNonRoot"] is True
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_secret_is_named_and_not_contained() -> None:
    assert container()["envFrom"] == [{"secretRef": {"name": "arena"}}]
    assert "Secret" not in [each["kind"] for each in kubernetes()]


def test_the_figures_are_not_for_visitors() -> None:
    paths = of_kind("Ingress")["spec"]["rules"][0]["http"]["paths"]

    leads = {path["path"]: path["backend"]["service"]["name"] for path in paths}

    assert leads == {"/metrics": "arena-nothing", "/_stcore/metrics": "arena-nothing", "/": "arena"}
