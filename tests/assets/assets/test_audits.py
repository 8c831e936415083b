"""An audit: what it stores, records and says in later reports; what it does not fit again."""

import pandas as pd
import pytest
import yaml

from mmm_assets.definitions import build_defs
from mmm_assets.pages.reporting import report_inputs, run_info
from mmm_assets.refreshes.chain import RefreshOptions, audit_client
from mmm_assets.runs import Refresh
from mmm_assets.storage.results import ResultStore
from mmm_engine.history.store import History
from tests.assets.conftest import append_weeks

AUDIT = {"simulations": 3, "truth": "posterior", "origins": 4, "step": 4, "seeds": 2, "placebo": True}


@pytest.fixture
def audit(used_home, instance, data_dir, sampler):
    """Audit a client that was refreshed once; keywords change its settings."""
    defs = build_defs()
    instance.add_dynamic_partitions("client", ["shop"])

    def run(client="shop", **changes):
        path = data_dir / f"{client}.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "audit": {**AUDIT, **changes}}))
        return audit_client(
            client,
            instance=instance,
            find_job=defs.resolve_job_def,
            results=ResultStore(root=str(used_home)),
            options=RefreshOptions(log_level="CRITICAL"),
        )

    return run


def test_an_audit_fits_what_the_client_file_asks_for(audit, sampler):
    """Windows of the last refresh serve as origins; one more origin is fitted, simulations, seeds, noise, placebo."""
    outcome = audit()
    assert outcome.failures == ()
    assert sampler.fitted == [
        *["shop recovery"] * 3,
        "shop h16",
        *["shop full"] * 4,
    ]
    assert [s.seed for s in sampler.settings[-4:]] == [2, 3, 1, 1]


def test_what_an_audit_finds_is_recorded_and_judged(audit, used_home):
    """Horizons with their folds, a verdict per channel, every kind of sensitivity, under the audit's own id."""
    outcome = audit()
    rows = History(used_home / "metric_history.duckdb").read("shop")
    own = rows[rows["run_id"] == outcome.refresh]
    assert set(own["split"]) == {
        "ahead_01", "ahead_02", "ahead_04", "ahead_08", "ahead_12",
        "identification", "seeds", "perturbation", "placebo",
    }  # fmt: skip
    value = own.set_index(["split", "channel", "metric"])["value"]
    assert value["ahead_01", "all", "folds"] == 4
    assert value["ahead_12", "all", "folds"] == 2
    assert value["identification", "all", "simulations"] == 3
    assert {value["identification", name, "identified"] for name in ("tv", "search")} <= {0.0, 0.5, 1.0}
    assert {e.check_name for e in outcome.evaluations} >= {"identification", "sensitivity", "history_rows"}


def test_a_report_of_later_rows_still_says_what_the_audit_found(audit, refresh_again, used_home, data_dir):
    """Verdicts of channels stay in force; stability looks back at the last refresh, not at the audit."""
    audit()
    append_weeks(data_dir, "shop", 1)
    outcome = refresh_again("shop", windows=("full", "h04"))
    assert (outcome.failures, outcome.left_out) == ((), ())
    store = ResultStore(root=str(used_home))
    results = store.read("shop")
    history = History(used_home / "metric_history.duckdb")
    inputs = report_inputs(
        results, history, run_info(results, Refresh("r", *[pd.Timestamp.now("UTC")] * 2, "c"))
    )
    channels = inputs.recovery[inputs.recovery["metric"] == "identified"]
    assert set(channels["split"]) == {"identification"}
    assert set(inputs.stability["split"]) == {"windows", "refresh", "seeds", "perturbation", "placebo"}
    assert "recovery" in set(inputs.recovery.loc[inputs.recovery["channel"] == "intercept", "metric"])
    assert {"identification", "sensitivity"} <= {verdict.check for verdict in results.verdicts}


def test_other_settings_end_what_an_audit_found(audit, refresh_again, used_home, data_dir):
    """Another model was not audited."""
    audit()
    path = data_dir / "shop.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "model": {"saturation": "tanh"}}))
    refresh_again("shop", windows=("full",))
    assert ResultStore(root=str(used_home)).read("shop").audit.frames == ()


def test_parts_that_are_left_out_cost_nothing(audit, sampler):
    """0 and false: no fit, no rows, a check that says so."""
    outcome = audit(simulations=0, origins=0, seeds=0, noise=0.0, placebo=False)
    assert outcome.failures == ()
    assert sampler.fitted == []
    said = {e.check_name: e.description for e in outcome.evaluations}
    assert said["sensitivity"] == "not judged: nothing was run"


def test_a_client_without_a_present_fit_is_not_audited(audit, data_dir, home, instance, sampler, used_home):
    """New rows that were not fitted: the audit says to refresh, and fits nothing."""
    append_weeks(data_dir, "shop", 1)
    build_defs().resolve_job_def("client_data_job").execute_in_process(
        instance=instance, partition_key="shop"
    )
    outcome = audit()
    assert not outcome.succeeded
    assert "run: mmm refresh shop" in outcome.failures[0]
    assert sampler.fitted == []
