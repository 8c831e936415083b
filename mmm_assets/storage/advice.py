"""Advice on a client's budget from what is stored: the posterior of the full window, its verdicts, the client file.

Here: `advise`, for the command line and the asset; plans of money from files.
Not here: how a plan is chosen (mmm_engine.decisions), whether a channel can be read (mmm_engine.scores).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmm_assets.storage.results import ClientResults, ResultStore
from mmm_assets.types import DataFrame, ScoredWindow
from mmm_engine.client.client_file import read_client_config
from mmm_engine.client.config import ClientConfig
from mmm_engine.client.decision_config import BUDGET_WORDS, OBJECTIVE_WORDS, Budget, DecisionConfig, Objective
from mmm_engine.client.windows import FULL
from mmm_engine.errors import ConfigError, DataError, Fault

if TYPE_CHECKING:
    from mmm_engine.decisions.budget_plan import BudgetPlan
    from mmm_engine.decisions.planning_window import PlanningWindow


@dataclass(frozen=True)
class AdviceRequest:
    """What is asked for beside the client file's `decision`; None keeps what that says.

    Attributes:
        horizon: Coming periods.
        budget: In words.
        within: Share; infinite where a channel may move any distance.
        objective: In words.
        keep: Channels that go on as today.
        by_period: Whether each period is decided on.
    """

    horizon: int | None = None
    budget: str | None = None
    within: float | None = None
    objective: str | None = None
    keep: tuple[str, ...] | None = None
    by_period: bool = False


@dataclass(frozen=True, eq=False)
class Advised:
    """Advice, and what it was made from.

    Attributes:
        plan: The best plan.
        fitted: The window it was made from, of the client's present rows and settings.
        settings: The client file's `decision`.
    """

    plan: BudgetPlan
    fitted: ScoredWindow
    settings: DecisionConfig


def advise(client: str, request: AdviceRequest, data_dir: Path, store: ResultStore | None = None) -> Advised:
    """The best plan for a client, from its last refresh.

    Args:
        client: Id of a client with stored results.
        request: What is asked for.
        data_dir: Folder of the client file, whose `decision` counts as it is now.
        store: Where results are stored.

    Raises:
        UnfitModelError: If the verdict on the model is "do not use".
        ConfigError: If a word of the request is none.
        DataError: If nothing is fitted, or the request cannot be met.
    """
    from mmm_engine.decisions.budget_plan import BudgetRequest, plan_budget
    from mmm_engine.decisions.guards import refuse_unfit
    from mmm_engine.decisions.limits import Rules
    from mmm_engine.decisions.planning_window import planning_window

    store = store or ResultStore()
    results = store.read(client)
    refuse_unfit(client, results.verdicts)
    fitted = store.fitted(client, FULL)
    if fitted is None:
        fix = f"run: mmm refresh {client}"
        raise DataError(
            f"client '{client}', plan", Fault("results", "no fit of the present rows", "one", fix)
        )
    settings = decision_settings(client, data_dir, results.data.config)
    budget, objective = _read(request.budget or settings.budget, request.objective or settings.objective)
    within = settings.within if request.within is None else request.within
    rules = Rules(
        within=within if math.isfinite(within) else None,
        bounds=dict(settings.bounds),
        keep=settings.keep if request.keep is None else request.keep,
    )
    window = planning_window(fitted, request.horizon or settings.horizon, basis=budget.basis)
    plan = plan_budget(
        window,
        BudgetRequest(
            budget=budget,
            objective=objective,
            rules=rules,
            by_period=request.by_period,
            value=settings.margin,
            unreadable=unreadable(results),
        ),
    )
    return Advised(plan, fitted, settings)


def unreadable(results: ClientResults) -> tuple[str, ...]:
    """Channels whose return the stored scores say must not be read; an audit's word counts where there was one."""
    from mmm_engine.decisions.guards import unreadable_channels
    from mmm_engine.fleets.recovery import with_identification

    config, recovery = results.data.config, results.recovery
    if recovery is not None and results.audit.identification is not None:
        recovery = with_identification(recovery, results.audit.identification)
    scores = results.windows[FULL].scores
    return unreadable_channels(scores, recovery, config.channel_names, config.thresholds.recovery_min)


def scenario_plan(path: Path, window: PlanningWindow) -> DataFrame:
    """A plan of money from a file: dates, and a column per channel that differs from today.

    Raises:
        DataError: If the file cannot be read, or its rows are not those of the window.
    """
    import pandas as pd

    from mmm_engine.files.cells import Rows
    from mmm_engine.files.dates import read_dates
    from mmm_engine.files.numbers import read_numbers
    from mmm_engine.files.table import read_table

    who = f"client '{window.client}', plan {path.name}"
    table, faults = read_table(path, {"date", *window.channels})
    if table is None or faults:
        raise DataError(who, faults)
    if "date" not in table.columns:
        raise DataError(who, Fault("column 'date'", "no such column", "the dates of the plan", "add it"))
    days, faults, _ = read_dates(table.columns["date"], "date", table.rows)
    rows, columns = Rows(table.rows, days), {}
    for name in table.header:
        if name != "date":
            columns[name], cell_faults = read_numbers(table.columns[name], name, rows, table.form.decimal)
            faults += cell_faults
    if faults:
        raise DataError(who, faults)
    frame = pd.DataFrame({"date": pd.to_datetime(days), **columns}).sort_values("date", ignore_index=True)
    if list(frame["date"]) != list(window.dates):
        wanted = f"one row a {window.period} from {window.dates[0]:%Y-%m-%d} to {window.dates[-1]:%Y-%m-%d}"
        found = f"{len(frame)} rows from {frame['date'].min():%Y-%m-%d}"
        raise DataError(who, Fault("the plan", found, wanted, "correct the dates of the plan"))
    return frame


def decision_settings(client: str, data_dir: Path, stored: ClientConfig) -> DecisionConfig:
    """The `decision` of the client file as it is now; that of the refresh where the file is gone."""
    path = data_dir / f"{client}.yaml"
    return read_client_config(path).decision if path.exists() else stored.decision


def _read(budget: str, objective: str) -> tuple[Budget, Objective]:
    read, aim = Budget.read(budget), Objective.read(objective)
    faults = []
    if read is None:
        faults.append(Fault("--budget", f"'{budget}'", BUDGET_WORDS, "write one of these"))
    if aim is None:
        faults.append(Fault("--objective", f"'{objective}'", OBJECTIVE_WORDS, "write one of these"))
    if faults or read is None or aim is None:
        raise ConfigError("mmm", faults)
    return read, aim
