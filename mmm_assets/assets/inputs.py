"""Assets of the first stage: validated rows of a client, and its windows in model space.

Here: client_file (which others make), client_data, scaled_inputs.
Not here: what makes a row valid (mmm_engine.rows.client_data), how it is scaled (mmm_engine.rows.window).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from mmm_assets.assets.conditions import after
from mmm_assets.checks import evaluations
from mmm_assets.checks.gates import DATA_CONTRACT
from mmm_assets.checks.standing import say_refused
from mmm_assets.metadata import table
from mmm_assets.pages.publication import Publication
from mmm_assets.partitions import ONE_RUN, client_x_window, clients, in_order, split_key
from mmm_assets.runs import ACCEPT_RESTATED_TAG, Refresh, first_line
from mmm_assets.storage.fingerprints import SOURCE
from mmm_assets.storage.io_managers import BY_PARTITION
from mmm_assets.storage.published import accepted_rows
from mmm_assets.storage.resources import ClientFiles
from mmm_assets.types import ClientData, ScaledInputs
from mmm_engine.errors import MMMError

CLIENT_FILE = dg.AssetSpec(
    "client_file",
    partitions_def=clients,
    group_name="inputs",
    kinds={"yaml", "csv"},
    description="What a client hands in: its YAML, its rows, its lift tests and its plan. Nothing here makes it; "
    "the sensor `new_data` records when it changed.",
)


@dg.asset(
    partitions_def=clients,
    deps=[CLIENT_FILE],
    group_name="inputs",
    kinds={"parquet"},
    io_manager_key="client_data_files",
    check_specs=[DATA_CONTRACT],
)
def client_data(
    context: dg.AssetExecutionContext, client_files: ClientFiles, publication: Publication
) -> Iterator[dg.Output[Any] | dg.AssetCheckEvaluation]:
    """Validated rows of one client: one row per period, original units, with the findings of the data contract.

    A file that breaks the contract, or takes back what the rows stored last said, fails the check ``data_contract``
    with every fault: the rows stored last stay, and the client's last good report is marked stale.
    """
    from mmm_engine.rows.restatement import refuse_restated

    client = context.partition_key
    source = client_files.fingerprint(
        client
    )  # before reading: rows that change meanwhile are seen as new later
    try:
        data = client_files.read(client)
        earlier = None if ACCEPT_RESTATED_TAG in context.run.tags else accepted_rows(publication.root, client)
        if earlier is not None:
            refuse_restated(earlier, data)
    except MMMError as error:
        publication.refuse(client, [str(error)], Refresh.of(context.run))
        say_refused(context.instance, client, [first_line(str(error))], context.run.run_id)
        yield evaluations.of_error(DATA_CONTRACT, client, error, context.instance)
        raise dg.Failure(str(error), metadata=evaluations.faults(error), allow_retries=False) from error
    from mmm_engine.scores import gates

    context.add_asset_metadata({**_client_facts(data), SOURCE: source}, partition_key=client)
    yield dg.Output(data, data_version=dg.DataVersion(f"{data.data_version}-{data.config.config_version}"))
    yield evaluations.of_verdict(DATA_CONTRACT, client, gates.check_data(data), context.instance)
    yield dg.Output(None, output_name=DATA_CONTRACT.get_python_identifier())


@dg.asset(
    partitions_def=client_x_window,
    backfill_policy=ONE_RUN,
    group_name="inputs",
    kinds={"parquet"},
    io_manager_key="scaled_inputs_files",
    automation_condition=after("client_data"),
    ins={"client_data": dg.AssetIn(metadata=BY_PARTITION)},
)
def scaled_inputs(
    context: dg.AssetExecutionContext, client_data: dict[str, ClientData]
) -> dict[str, ScaledInputs]:
    """Training and held-out rows of each window in model space; scales are fitted on the training rows only."""
    from mmm_engine.rows.window import scale_window

    scaled = {}
    for key in in_order(context.partition_keys):
        client, window = split_key(key)
        scaled[key] = scale_window(client_data[client], window)
        context.add_asset_metadata(_window_facts(scaled[key]), partition_key=key)
    return scaled


def _client_facts(data: ClientData) -> dict[str, object]:
    """What the UI shows about a client's rows."""
    import pandas as pd

    findings = pd.DataFrame([vars(finding) for finding in data.findings])
    return {
        "rows": len(data),
        "first_date": str(data.dates[0].date()),
        "last_date": str(data.dates[-1].date()),
        "period": data.period,
        "channels": len(data.config.channel_names),
        "controls": len(data.config.control_names),
        "warnings": sum(finding.severity == "warning" for finding in data.findings),
        "findings": table(findings),
        "data_version": data.data_version,
        "config_version": data.config.config_version,
    }


def _window_facts(inputs: ScaledInputs) -> dict[str, object]:
    """What the UI shows about one window."""
    return {
        "train_rows": inputs.train_rows,
        "test_rows": inputs.horizon,
        "cutoff": str(inputs.cutoff.date()),
        "target_scale": inputs.scales.target,
        "data_version": inputs.data_version,
    }
