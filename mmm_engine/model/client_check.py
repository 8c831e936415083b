"""Whether a client's files are enough for a model: what `mmm check` says, and every run begins with.

Here: reading a client whose rows keep the data contract and whose settings specify a model.
Not here: each by itself (rows/client_data.py, specification.py).
"""

from __future__ import annotations

from pathlib import Path

from mmm_engine.client.client_file import refuse_settings
from mmm_engine.model.specification import specification_problems
from mmm_engine.rows.client_data import ClientData, read_client


def read_client_for_model(client: str, folder: Path) -> ClientData:
    """The rows of a client whose files are sound and whose model can be specified.

    Args:
        client: Id of the client.
        folder: The data folder.

    Raises:
        ConfigError: With every fault of the client file, those of its priors included.
        DataError: With every fault of the data file, when the client file has none.
    """
    data = read_client(client, folder)
    refuse_settings(folder / f"{client}.yaml", specification_problems(data.config, data.period))
    return data
