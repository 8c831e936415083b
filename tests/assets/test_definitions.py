"""The code location: what it holds, how fast and how lightly it loads, one name everywhere."""

import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import yaml

from mmm_assets.assets.catalogue import LAYERS
from mmm_assets.definitions import build_defs, defs
from mmm_assets.storage.io_managers import PartitionFiles

ROOT = Path(__file__).resolve().parents[2]

GRAPH = {
    "client_file": [],
    "client_data": ["client_file"],
    "scaled_inputs": ["client_data"],
    "fitted_posterior": ["scaled_inputs"],
    "holdout_metrics": ["fitted_posterior", "scaled_inputs"],
    "predictions": ["fitted_posterior", "scaled_inputs"],
    "channel_returns": ["fitted_posterior", "scaled_inputs"],
    "response_curves": ["fitted_posterior", "scaled_inputs"],
    "decomposition": ["fitted_posterior", "scaled_inputs"],
    "adstock_weights": ["fitted_posterior", "scaled_inputs"],
    "parameters": ["fitted_posterior", "scaled_inputs"],
    "chain_views": ["fitted_posterior", "scaled_inputs"],
    "media_multiplier": ["fitted_posterior", "scaled_inputs"],
    "period_returns": ["fitted_posterior", "scaled_inputs"],
    "canary": [],
    "recovery_scores": ["holdout_metrics", "scaled_inputs"],
    "stability_scores": ["channel_returns", "holdout_metrics"],
    "forecast": ["fitted_posterior", "holdout_metrics", "scaled_inputs"],
    "refresh_diff": ["channel_returns", "holdout_metrics"],
    "origin_scores": ["client_data", "fitted_posterior", "scaled_inputs"],
    "identification_scores": ["client_data", "fitted_posterior", "scaled_inputs"],
    "sensitivity_scores": ["client_data", "fitted_posterior", "scaled_inputs"],
    "metric_history": [
        "channel_returns",
        "client_data",
        "holdout_metrics",
        "identification_scores",
        "origin_scores",
        "recovery_scores",
        "sensitivity_scores",
        "stability_scores",
    ],
    "budget_plan": [
        "client_data",
        "fitted_posterior",
        "holdout_metrics",
        "identification_scores",
        "metric_history",
        "recovery_scores",
    ],
    "report": [
        "adstock_weights",
        "budget_plan",
        "canary",
        "chain_views",
        "client_data",
        "decomposition",
        "forecast",
        "media_multiplier",
        "metric_history",
        "parameters",
        "period_returns",
        "predictions",
        "refresh_diff",
        "response_curves",
    ],
    "portfolio": ["metric_history", "report"],
}
CHECKS = {
    "canary": ["canary_found"],
    "client_data": ["data_contract"],
    "scaled_inputs": ["training_cutoff"],
    "holdout_metrics": ["fitted_rows", "holdout_calibration", "sampler_converged"],
    "recovery_scores": ["recovery"],
    "stability_scores": ["stability"],
    "metric_history": [
        "baseline_positive",
        "controls_plausible",
        "curves_plausible",
        "drift",
        "fit_explains",
        "history_rows",
        "holdout_skill",
        "media_known",
        "media_plausible",
        "media_supported",
        "one_explanation",
        "prior_pushes",
        "residuals",
    ],
    "budget_plan": ["advice_given", "advice_proven", "advice_within_seen"],
    "identification_scores": ["identification"],
    "sensitivity_scores": ["sensitivity"],
    "report": ["newest_results", "report_self_contained", "rows_in_time"],
}


def run_python(code: str) -> str:
    """Output of a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout


def test_the_asset_graph_is_the_one_of_the_design():
    """A changed dependency changes what a backfill runs: it must be meant."""
    graph = defs.resolve_asset_graph()
    found = {
        key.to_user_string(): sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        for key in graph.get_all_asset_keys()
    }
    assert found == GRAPH


def test_the_checks_are_the_ones_of_the_design():
    """Which check guards which asset."""
    found: dict[str, list[str]] = {}
    for key in sorted(defs.resolve_asset_graph().asset_check_keys, key=lambda key: key.name):
        found.setdefault(key.asset_key.to_user_string(), []).append(key.name)
    assert found == CHECKS


def test_every_asset_says_what_it_is():
    """Description, group, kind, owner and tags show in the catalogue, of client files too."""
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.group_name in {"inputs", "fits", "fleets", "audit", "outputs"}
        assert node.kinds
        assert node.owners == ["team:mmm"]
        assert {"mmm/layer", "mmm/per", "mmm/work"} <= set(node.tags), key
        assert bool(node.code_version) == node.is_materializable


def test_assets_can_be_found_by_what_they_are_for():
    """Tags: every asset in one layer; what is made per window, and what takes a processor, is told apart."""
    graph = defs.resolve_asset_graph()
    listed = [name for names in LAYERS.values() for name in names]
    assert sorted(listed) == sorted(key.to_user_string() for key in graph.get_all_asset_keys())

    def tagged(tag: str, value: str) -> set[str]:
        keys = graph.get_all_asset_keys()
        return {key.to_user_string() for key in keys if graph.get(key).tags[tag] == value}

    assert tagged("mmm/layer", "page") == {"portfolio", "report"}
    assert tagged("mmm/per", "all_clients") == {"canary", "portfolio"}
    assert tagged("mmm/per", "client_window") >= {"fitted_posterior", "predictions", "scaled_inputs"}
    fitting = {"canary", "fitted_posterior", "recovery_scores", "origin_scores"}
    assert tagged("mmm/work", "fits") == {*fitting, "identification_scores", "sensitivity_scores"}


def test_the_definitions_can_be_loaded():
    """Resources, jobs, sensors and schedules fit together."""
    dg.Definitions.validate_loadable(build_defs())


def test_loading_the_definitions_imports_nothing_heavy():
    """Every tick, page and command pays for what is imported here."""
    heavy = (
        "pymc",
        "pymc_marketing",
        "nutpie",
        "pytensor",
        "numba",
        "sklearn",
        "pandas",
        "xarray",
        "arviz",
        "plotly",
    )
    code = f"import sys, mmm_assets.definitions; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_help_needs_neither_dagster_nor_pandas():
    """`mmm --help` answers at once."""
    code = (
        "import sys; from mmm_assets.cli.app import app; from typer.testing import CliRunner; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0; "
        "print([m for m in ('dagster', 'pandas', 'pymc', 'duckdb') if m in sys.modules])"
    )
    assert run_python(code).strip() == "[]"


def test_nothing_falls_back_to_pickle():
    """The default IO manager and every other one is typed."""
    managers = {
        name: value for name, value in defs.resources.items() if isinstance(value, dg.ConfigurableIOManager)
    }
    assert all(isinstance(manager, PartitionFiles) for manager in managers.values())
    graph = defs.resolve_asset_graph()
    used = {
        graph.get(key).assets_def.get_io_manager_key_for_asset_key(key)
        for key in graph.materializable_asset_keys
    }
    assert used | {"io_manager"} <= set(managers)


def test_the_code_location_has_one_name_everywhere():
    """Sensor state and queued runs belong to the name."""
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert workspace["location_name"] == project["code_location_name"] == "mmm_assets"
    assert workspace["module_name"] == project["code_location_target_module"] == "mmm_assets.definitions"


def test_dg_accepts_the_project(home):
    """`dg dev` loads the same definitions as `dagster dev`, which `make definitions` validates."""
    program = Path(sys.executable).parent / "dg"
    result = subprocess.run([program, "check", "defs"], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_shipped_settings_are_accepted_and_keep_fits_in_a_pool(home):
    """Telemetry is off, one fit at a time, claimed by the step."""
    settings = yaml.safe_load((home / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}
    assert settings["concurrency"]["pools"] == {"default_limit": 1, "granularity": "op"}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.global_op_concurrency_default_limit == 1
        assert not instance.telemetry_enabled
