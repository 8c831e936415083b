"""Assets of the last stage: the record of a refresh, the client's report, the page of all clients.

Here: metric_history, budget_plan, report, portfolio.
Not here: the history's tables (mmm_engine.history.store), what a report says (mmm_engine.report), the gates.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from mmm_assets import metadata
from mmm_assets.assets.conditions import behind, now_and_then, once_all_are_done
from mmm_assets.checks.gates import RECEIPT_KEY
from mmm_assets.checks.standing import say_refused
from mmm_assets.launching.processes import clients_under_way
from mmm_assets.pages import reporting
from mmm_assets.pages.portfolio import portfolio_frame
from mmm_assets.pages.publication import Publication, Status
from mmm_assets.pages.server import page_address
from mmm_assets.partitions import clients, registered_clients
from mmm_assets.runs import REFUSED, Refresh
from mmm_assets.storage.advice import AdviceRequest, advise
from mmm_assets.storage.advice_ledger import freeze_advice, request_version, score_advice
from mmm_assets.storage.published import PublishedStates
from mmm_assets.storage.resources import ClientFiles, MetricHistory
from mmm_assets.storage.results import ClientResults, ResultStore, versions_of
from mmm_assets.types import DataFrame, History, Verdict
from mmm_engine.client.windows import FULL, Window
from mmm_engine.errors import MMMError
from mmm_engine.version import ENGINE_VERSION

if TYPE_CHECKING:
    from mmm_engine.report.inputs import ReportInputs

ADVICE_COLUMNS = ("channel", "today", "plan", "advice", "marginal", "marginal_q05", "marginal_q95")
AUDIT_SCORES = ("origin_scores", "identification_scores", "sensitivity_scores")


@dg.asset(
    partitions_def=clients,
    deps=[
        "client_data",
        "holdout_metrics",
        "channel_returns",
        "recovery_scores",
        "stability_scores",
        *AUDIT_SCORES,
    ],
    group_name="outputs",
    kinds={"duckdb"},
    io_manager_key="json_files",
    automation_condition=once_all_are_done(
        "holdout_metrics", "recovery_scores", "stability_scores", *AUDIT_SCORES
    ),
)
def metric_history(
    context: dg.AssetExecutionContext, results: ResultStore, history: MetricHistory
) -> list[dict[str, Any]]:
    """Every score of a refresh or an audit, appended to the metric history in one transaction; stored is the receipt.

    A row carries the refresh that computed it, so recording again changes nothing. Refused refreshes are recorded
    too: how often a client fails is part of its history. Frozen forecasts and advice whose weeks have come are scored
    on the way.
    """
    import pandas as pd

    stored = results.read(context.partition_key)
    rows = _history_rows(stored)
    database = history.open()
    recorded = database.append(rows)
    drift = _drift_rows(stored, database.read(context.partition_key))
    recorded += database.append(drift)
    scored = database.score_forecasts(context.partition_key, _actuals(stored))
    advice_scored = score_advice(database, stored.data)
    context.add_asset_metadata(
        {
            "rows": recorded,
            "forecasts_scored": scored,
            "advice_scored": advice_scored,
            "drift_alarms": int((drift["value"] >= 1).sum()),
            "refresh": Refresh.of(context.run).id,
        }
    )
    return _receipt(pd.concat([rows, drift], ignore_index=True))


class ReportConfig(dg.Config):
    """How a report is rendered."""

    for_client: bool = Field(
        default=False, description="Also write <client>.client.html, a short page without diagnostics."
    )


@dg.asset(
    partitions_def=clients,
    deps=[
        "client_data",
        "fitted_posterior",
        "holdout_metrics",
        "recovery_scores",
        "identification_scores",
        "metric_history",  # only so that automation makes both in one run
    ],
    group_name="outputs",
    kinds={"json"},
    io_manager_key="json_files",
    automation_condition=behind("metric_history"),
)
def budget_plan(
    context: dg.AssetExecutionContext,
    results: ResultStore,
    client_files: ClientFiles,
    history: MetricHistory,
    publication: Publication,
) -> dict[str, Any]:
    """What to do with the coming budget, or why there is no advice; as the client file's `decision` says.

    Advice is frozen in the ledger, to be compared with what was spent and what happened; not while publication is held
    back, when nobody sees it.
    """
    from mmm_engine.decisions.advice_record import advice_record, refusal_record
    from mmm_engine.decisions.guards import UnfitModelError

    client = context.partition_key
    try:
        advised = advise(client, AdviceRequest(), client_files.folder, results)
    except UnfitModelError as error:  # a model that is not to be used: the page says so
        record = refusal_record(error.reasons)
    except MMMError as error:  # a request that cannot be met
        record = refusal_record([str(fault) for fault in error.faults])
    else:
        plan, fitted = advised.plan, advised.fitted
        record = advice_record(plan)
        if not publication.held_back():
            request = request_version(advised.settings, fitted.posterior.attrs["config_version"])
            run_id = Refresh.of(context.run).id
            freeze_advice(
                history.open(), plan, fitted, request=request, issued_at=datetime.now(UTC), run_id=run_id
            )
    facts: dict[str, Any] = {"advice": record["sentence"], "acts": record["acts"]}
    if not record["refused"]:
        gain, proof = record["gain"], record["proof"]
        facts |= {
            "gain": gain["mean"],
            "gain_q05": gain["q05"],
            "gain_q95": gain["q95"],
            "beats_today": gain["better"],
            "next_unit_brings": proof["price"],
            "marginals_spread": proof["spread"],
            "spend_today": record["spend_today"],
            "spend_advised": record["spend"],
            "channels": metadata.table(plan.table[list(ADVICE_COLUMNS)]),
        }
    context.add_asset_metadata({name: value for name, value in facts.items() if value is not None})
    return record | versions_of(results.data(client))


@dg.asset(
    partitions_def=clients,
    deps=[
        "budget_plan",
        "client_data",
        "predictions",
        "response_curves",
        "decomposition",
        "adstock_weights",
        "parameters",
        "chain_views",
        "media_multiplier",
        "period_returns",
        "forecast",
        "refresh_diff",
        "metric_history",
        "canary",
    ],
    group_name="outputs",
    kinds={"html"},
    io_manager_key="html_files",
    automation_condition=behind("metric_history"),
)
def report(
    context: dg.AssetExecutionContext,
    config: ReportConfig,
    results: ResultStore,
    history: MetricHistory,
    publication: Publication,
    published: PublishedStates,
) -> Iterator[dg.Output[str]]:
    """The client's page: what the model says, whether it passed its checks, what was run.

    When the full fit failed a hard gate, or the last canary was missed, nothing is published: the last good
    page stays and is marked stale, and the page of the refused refresh is stored as ``<client>.failed.html``.
    """
    client = context.partition_key
    stored = results.read(client)
    refresh = _refresh_of(context.run, stored, publication.status(client))
    inputs = _report_inputs(stored, history.open(), refresh) if FULL in stored.windows else None
    page = reporting.render(inputs) if inputs else None
    hold = publication.held_back()
    if stored.refusals or inputs is None or page is None or hold:
        reasons = [f"{verdict.check}: {verdict.reason}" for verdict in stored.refusals]
        reasons += [f"held back: {hold}"] if hold else []
        failed = publication.refuse(client, reasons, refresh.ending(datetime.now(UTC)), page)
        say_refused(context.instance, client, reasons, context.run.run_id)
        listed = "\n".join(f"  {reason}" for reason in reasons)
        raise dg.Failure(
            f"client '{client}': not published, the last good report stays:\n{listed}",
            metadata={REFUSED: listed, "refused_page": dg.MetadataValue.path(str(failed))},
            allow_retries=False,
        )
    judged = inputs.verdicts
    word, cautions = _verdict(judged), _cautions(judged)
    summary, glance = reporting.at_a_glance(inputs)
    context.add_asset_metadata(
        {
            "summary": summary,
            "glance": dg.MetadataValue.md(glance),
            "verdict": word,
            "failed_checks": sum(verdict.failed for verdict in judged),
            "windows": ", ".join(window.name for window in stored.windows),
            "cautions": "\n".join(cautions),
            "page": dg.MetadataValue.url(page_address(f"report/{client}.html")),
        }
    )
    yield dg.Output(page)
    if config.for_client or publication.wants_client_page(client):
        publication.put_client_page(client, reporting.render(inputs, "client"))
    published.keep(stored)
    # The status follows the page: a crash in between leaves a page that is newer than its status, never the reverse.
    publication.publish(client, word, cautions, refresh, reporting.budget_words(inputs))


@dg.asset(
    deps=["report", "metric_history"],
    group_name="outputs",
    kinds={"html"},
    io_manager_key="html_files",
    automation_condition=now_and_then("report", "metric_history", cron="*/10 * * * *"),
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=49), warn_window=timedelta(hours=25)
    ),
)
def portfolio(context: dg.AssetExecutionContext, history: MetricHistory, publication: Publication) -> str:
    """All clients on one page, worst first, with the reason."""
    from mmm_engine.report.portfolio import render_portfolio

    now = datetime.now(UTC)
    registered = registered_clients(context.instance)
    statuses = [status for client in registered if (status := publication.status(client)) is not None]
    under_way = clients_under_way(context.instance) if len(statuses) < len(registered) else set()
    frame = portfolio_frame(registered, statuses, history.open(), now, under_way)
    counts = {str(word): int(count) for word, count in frame["verdict"].value_counts().items()}
    address = dg.MetadataValue.url(page_address("portfolio/portfolio.html"))
    context.add_asset_metadata({"clients": len(registered), **counts, "page": address})
    return render_portfolio(frame, generated_at=now, engine_version=ENGINE_VERSION)


def _history_rows(stored: ClientResults) -> DataFrame:
    """Rows of the metric history for everything that is scored and current."""
    import pandas as pd

    parts = [_rows_of(stored, window, scores, attrs) for window, scores, attrs in _scores_by_window(stored)]
    if not parts:
        reason = "no window has results for the present rows and settings; refresh the client"
        raise dg.Failure(
            f"client '{stored.data.config.client}': nothing to record: {reason}", allow_retries=False
        )
    return pd.concat(parts, ignore_index=True)


def _rows_of(stored: ClientResults, window: Window, scores: DataFrame, attrs: Mapping[Any, Any]) -> DataFrame:
    """Rows of the metric history for one score frame, which an audit may have made from older rows."""
    import pandas as pd

    from mmm_engine.history.store import history_rows

    return history_rows(
        scores,
        client=stored.data.config.client,
        window=window.name,
        cutoff=pd.Timestamp(attrs.get("cutoff") or stored.windows[window].inputs.cutoff),
        horizon=stored.windows[window].inputs.horizon,
        data_version=attrs["data_version"],
        config_version=attrs["config_version"],
        engine_version=attrs.get("engine_version", ENGINE_VERSION),
        run_id=attrs["refresh"],
        recorded_at=datetime.fromisoformat(attrs["refreshed_at"]),
    )


def _drift_rows(stored: ClientResults, recorded: DataFrame) -> DataFrame:
    """Rows of the metric history for where the client's full window stands against its own past; none without one."""
    from mmm_engine.scores.drift import drift_score_frame, drift_scores

    if FULL not in stored.windows:
        return recorded.iloc[:0]
    scores = drift_score_frame(drift_scores(recorded)).dropna(subset="value")
    return _rows_of(stored, FULL, scores, stored.made_by)


def _scores_by_window(stored: ClientResults) -> Iterator[tuple[Window, DataFrame, Mapping[Any, Any]]]:
    """Score frames, the window each is recorded under, what made it; fleets and audits belong to the full window."""
    from mmm_engine.results.returns import return_scores

    for window, results in stored.windows.items():
        yield window, results.metrics, results.attrs
        yield window, return_scores(results.returns), results.attrs
    for frame in (stored.recovery, stored.stability, *stored.audit.frames):
        if frame is not None and FULL in stored.windows:
            yield FULL, frame, frame.attrs


def _receipt(rows: DataFrame) -> list[dict[str, Any]]:
    """How many rows were recorded for each refresh, window and split."""
    counted = rows.groupby(list(RECEIPT_KEY)).size().rename("rows").reset_index()
    return [{str(name): value for name, value in part.items()} for part in counted.to_dict("records")]


def _actuals(stored: ClientResults) -> Any:
    """The observed target by date."""
    frame = stored.data.frame
    return frame.set_index("date")[stored.data.config.target.column]


def _report_inputs(stored: ClientResults, history: History, refresh: Refresh) -> "ReportInputs":
    """What the page of a client that has a full window is made from."""
    return reporting.report_inputs(stored, history, reporting.run_info(stored, refresh))


def _refresh_of(run: dg.DagsterRun, stored: ClientResults, status: Status | None) -> Refresh:
    """The refresh that the page shows; one that is rendered again, alone, keeps its id, command, end and length."""
    of_run, made_by = Refresh.of(run), stored.made_by
    if of_run.id == made_by.get("refresh") or not made_by:
        return of_run
    began, ended = datetime.fromisoformat(made_by["refreshed_at"]), of_run.ended
    if status is not None and status.refresh == made_by["refresh"]:  # its page was published once already
        ended = datetime.fromisoformat(status.at)
        began = ended - timedelta(seconds=status.seconds)
    return Refresh(made_by["refresh"], began, ended, made_by["command"])


def _verdict(verdicts: tuple[Verdict, ...]) -> str:
    from mmm_engine.scores.verdict import judge

    return judge(verdicts)


def _cautions(verdicts: tuple[Verdict, ...]) -> list[str]:
    """Failed checks that do not keep a report from being published, worst first; one of several windows once."""
    from mmm_engine.scores.verdict import by_check

    failed = [result for result in by_check(verdicts) if result.outcome == "failed"]
    return [f"{result.check}{_windows(result.windows)}: {result.reason}" for result in failed]


def _windows(windows: tuple[Window, ...]) -> str:
    return f" ({', '.join(window.name for window in windows)})" if windows else ""
