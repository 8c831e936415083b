"""New client files in the data folder.

Here: adding a client from a data file, simulating one; nothing is written before everything is checked.
Not here: what a client file may say (mmm_engine.client.config), what its rows must keep (mmm_engine.rows.client_data).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmm_engine.client.client_file import client_config_from_mapping, write_client_config
from mmm_engine.client.config import check_client_id
from mmm_engine.client.validation import DATA_SUFFIXES, remedy_of_suffix
from mmm_engine.errors import ConfigError, DataError, Fault
from mmm_engine.files.atomic_write import make_folder, replace_file
from mmm_engine.files.packed import inner_suffix

if TYPE_CHECKING:
    from mmm_engine.client.config import ClientConfig
    from mmm_engine.rows.client_data import ClientData
    from mmm_engine.rows.suggestions import Suggestion


@dataclass(frozen=True)
class Holidays:
    """Whose public holidays a new client takes in: codes of a country and of a part of it."""

    country: str
    subdivision: str | None


def _none(offered: Sequence[Suggestion]) -> Sequence[Suggestion]:
    return ()


def add_client(
    settings: Mapping[str, object],
    source: Path,
    folder: Path,
    *,
    force: bool = False,
    holidays: Holidays | None = None,
    choose: Callable[[Sequence[Suggestion]], Sequence[Suggestion]] = _none,
) -> tuple[Path, ClientData]:
    """Write a client's file and a copy of its rows.

    Args:
        settings: What the client file is to say, without ``data``.
        source: The rows, CSV, Excel or Parquet; how they turn out to be written is kept in the client file.
        folder: The data folder.
        force: Replace a client of the same id.
        holidays: Whose public holidays are written into the client file.
        choose: Which of the settings that the rows ask for are written, with the reason.

    Returns:
        Path of the client file, and the checked rows.

    Raises:
        ConfigError: If the settings are not allowed, or the client exists and ``force`` is not given.
        DataError: If the rows break the data contract.
    """
    from mmm_engine.rows.client_data import read_client_data

    client = check_client_id(str(settings["client"]))
    name = client + _ending(source, who=f"client '{client}'")
    config = client_config_from_mapping({**settings, "data": name}, who=f"client '{client}'")
    _refuse_to_replace(client, folder, force)
    with (
        tempfile.TemporaryDirectory() as scratch
    ):  # checked under its future name, from a copy nobody changes
        copy = Path(shutil.copyfile(source, Path(scratch) / name))
        try:
            rows = read_client_data(config, Path(scratch))
        except DataError as error:  # it knows the copy; who typed the command knows the file
            raise DataError(f"client '{client}', {source}", error.faults) from None
        changes, reasons = _options_of_the_rows(rows, holidays, choose)
        if "max_lag" not in config.model.adstock.model_fields_set:
            lag, why = _lag_of_the_rows(rows)
            changes["adstock"] = config.model.adstock.model_dump(mode="json") | {"max_lag": lag}
            reasons["adstock"] = why
        config = _with_form(_with_model(config, changes), rows)
        if config != rows.config:
            rows = read_client_data(config, Path(scratch))
        make_folder(folder)
        replace_file(folder / name, lambda temporary: shutil.copyfile(copy, temporary))
    write_client_config(config, folder / f"{client}.yaml", reasons=reasons, for_editors=True)
    return folder / f"{client}.yaml", rows


def _ending(source: Path, who: str) -> str:
    """The ending of a file of rows: '.csv', '.csv.gz'.

    Raises:
        ConfigError: If it is none.
    """
    where, suffix = f"--data {source}", source.suffix.lower()
    allowed = f"a file that ends in {', '.join(DATA_SUFFIXES[:-1])} or {DATA_SUFFIXES[-1]}"
    if not source.exists():
        raise ConfigError(who, Fault(where, "no such file", allowed, "give the path of the rows"))
    if source.is_dir():
        raise ConfigError(who, Fault(where, "a folder", allowed, "name the file in it that holds the rows"))
    if suffix in DATA_SUFFIXES and not source.is_file():
        fix = "copy the rows into a file first, such as of what a command prints"
        raise ConfigError(who, Fault(where, "something that is not a regular file", allowed, fix))
    if suffix not in DATA_SUFFIXES or not source.is_file():
        raise ConfigError(who, Fault(where, f"'{source.name}'", allowed, remedy_of_suffix(suffix)))
    return inner_suffix(source.name) + suffix if suffix == ".gz" else suffix


_EIGHT_WEEKS = {"day": 28, "week": 8, "month": 3}
"""Rows over which media may work, by what a row is; for days four weeks, because fits take longer with each."""


def _lag_of_the_rows(rows: ClientData) -> tuple[int, str]:
    """`max_lag` that means the same time whatever a row is, no more than the rows allow; and why."""
    from mmm_engine.rows.contract import minimum_rows

    spare = len(rows) - minimum_rows(rows.config) + rows.config.longest_lag
    lag = max(1, min(_EIGHT_WEEKS[rows.period], spare))
    return lag, f"{lag} {rows.calendar.periods} are as long as media are taken to work"


def _options_of_the_rows(
    rows: ClientData,
    holidays: Holidays | None,
    choose: Callable[[Sequence[Suggestion]], Sequence[Suggestion]],
) -> tuple[dict[str, object], dict[str, str]]:
    """Settings of the section ``model`` that follow from the rows, and why each."""
    changes: dict[str, object] = {}
    reasons: dict[str, str] = {}
    if holidays is not None:
        from mmm_engine.client.holidays import public_holidays, source_of_days

        first, last = rows.dates[0].date(), rows.dates[-1].date()
        stored = public_holidays(holidays.country, holidays.subdivision, first, last)
        changes["holidays"] = stored.model_dump(mode="json")
        reasons["holidays"] = f"they were asked for; the days are those of {source_of_days()}"
        rows = replace(rows, config=_with_model(rows.config, changes))
    for one in choose(rows.suggestions):
        changes[one.setting] = one.value
        reasons[one.setting] = one.reason
    return changes, reasons


def _with_form(config: ClientConfig, rows: ClientData) -> ClientConfig:
    """The settings with how the file turned out to be written and its currency, as far as they do not say them."""
    form = asdict(rows.form)
    said = {name: value for name, value in asdict(config.table_form).items() if value is not None}
    settings = config.model_dump(mode="json")
    settings["sheet"] = said.pop("sheet", form.pop("sheet"))
    settings["csv"] = settings["csv"] | form | said
    settings["currency"] = config.currency or rows.currency_of_cells
    return client_config_from_mapping(settings, who=f"client '{config.client}'")


def _with_model(config: ClientConfig, changes: Mapping[str, object]) -> ClientConfig:
    settings = config.model_dump(mode="json")
    settings["model"] |= changes
    return client_config_from_mapping(settings, who=f"client '{config.client}'")


def simulate_into(
    client: str,
    folder: Path,
    *,
    periods: int | None,
    channels: int | None,
    seed: int | None,
    trend: float = 0.0,
    events: bool = False,
    lift_tests: int = 0,
    force: bool = False,
) -> Path:
    """Write a simulated client and its truth; arguments as those of ``simulate_client``.

    Returns:
        Path of the client file.

    Raises:
        ConfigError: If the id is not allowed, or the client exists and ``force`` is not given.
    """
    from mmm_engine.simulation.client import simulate_client, write_simulation

    check_client_id(client)
    _refuse_to_replace(client, folder, force)
    simulation = simulate_client(
        client,
        periods=periods,
        channels=channels,
        seed=seed,
        trend=trend,
        events=events,
        lift_tests=lift_tests,
    )
    make_folder(folder)
    write_simulation(simulation, folder)
    return folder / f"{client}.yaml"


def _refuse_to_replace(client: str, folder: Path, force: bool) -> None:
    existing = [path.name for path in sorted(folder.glob(f"{client}.*")) if path.is_file()]
    if existing and not force:
        fault = Fault(
            str(folder), ", ".join(existing), "no file of that client yet", "choose another id or add --force"
        )
        raise ConfigError(f"client '{client}'", fault)
