"""Client files: reading, writing and listing the YAML that says what a client is.

Here: from a file to `ClientConfig` with every fault at once, and back.
Not here: which settings there are (config.py), YAML as text (files/yaml_document.py).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from mmm_engine.client.config import (
    CLIENT_ID,
    ChannelConfig,
    ClientConfig,
    ControlConfig,
    columns_as_mappings,
)
from mmm_engine.client.model_config import BaselineConfig, HolidaysConfig, ModelConfig, short_events
from mmm_engine.client.natural_order import natural_order
from mmm_engine.client.presets import PRESETS, with_preset
from mmm_engine.client.return_priors import ReturnsConfig
from mmm_engine.client.schema import EDITOR_LINE, write_schema
from mmm_engine.client.validation import Draft, Frozen, Problem, nearest, place
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.atomic_write import write_text
from mmm_engine.files.folder import folder_faults, stays_inside
from mmm_engine.files.yaml_document import Document, plain, read_document, shorten


def client_config_from_mapping(values: Mapping[str, object], who: str = "client settings") -> ClientConfig:
    """The settings in a mapping of the form that a client file has.

    Raises:
        ConfigError: With every fault, if any setting is missing, unknown or out of range.
    """
    config, faults = _parse(Document(values=dict(values), lines={}, faults=(), readable=True))
    if faults or config is None:
        raise ConfigError(who, faults)
    return config


def read_client_config(path: Path) -> ClientConfig:
    """The settings in a client's YAML file.

    Raises:
        ConfigError: With every fault of the file, each with its line.
    """
    config, faults = inspect_client_config(path)
    if faults or config is None:
        raise ConfigError(f"client '{path.stem}', {path.name}", faults)
    return config


def inspect_client_config(path: Path) -> tuple[ClientConfig | None, tuple[Fault, ...]]:
    """Every fault of a client file, and the settings as far as they are understood without the faulty ones.

    The settings serve to check the data file in the same pass; a model is never fitted from them.
    """
    if not path.exists() and not path.is_symlink():
        return None, (_missing_file(path),)
    folder = path.parent.resolve()
    if link_faults := folder_faults(path, folder, found="a link out of the data folder"):
        return None, link_faults
    document = read_document(path)
    config, faults = _parse(document)
    if document.readable and "calibration" in document.values:
        from mmm_engine.client.lift_tests import (
            named_lift_tests,
        )  # imports pandas: only where there is a table

        tests, table_faults = named_lift_tests(document, folder)
        faults += table_faults
        config = config.with_lift_tests(tests) if config is not None and tests else config
    named = document.values.get("client")
    if isinstance(named, str) and named != path.stem:
        where = place(document, ("client",))
        fix = f"write 'client: {path.stem}' or rename the file to {plain(named)}.yaml"
        faults += (Fault(where, shorten(named), f"the name of the file, '{path.stem}'", fix),)
    for setting, name in (("data", config.data), ("calibration", config.calibration)) if config else ():
        if name is not None and not stays_inside(folder / name, folder):
            faults += folder_faults(folder / name, folder, place(document, (setting,)))
            config = None
    return config, faults


def refuse_settings(path: Path, problems: Iterable[Problem]) -> None:
    """Refuses settings of a client file that are valid by themselves, but not together.

    Args:
        path: The file, which was read without faults.
        problems: What is wrong; none refuses nothing.

    Raises:
        ConfigError: With every problem and its line.
    """
    faults = _draft(read_document(path)).faults(problems)
    if faults:
        raise ConfigError(f"client '{path.stem}', {path.name}", faults)


def write_client_config(
    config: ClientConfig,
    path: Path,
    heading: str = "",
    reasons: Mapping[str, str] | None = None,
    *,
    for_editors: bool = False,
) -> None:
    """Write a client file that reads back equal, in one step; settings at their defaults stay short.

    Args:
        config: What the file shall say.
        path: Where to write it.
        heading: One line for the reader, written as a comment at the top.
        reasons: Why settings of the section ``model`` are what they are, by their names: comments above it.
        for_editors: Whether its first line names the schema beside it, which is written too.
    """
    model, sampler = config.model, config.sampler
    sections: dict[str, object] = {
        "client": config.client,
        "data": config.data,
        **_written_form(config),
        "date": config.date,
        "target": config.target.model_dump(mode="json"),
        "channels": [_short(channel) for channel in config.channels],
        "controls": [_short(control) for control in config.controls],
        **({"currency": config.currency} if config.currency else {}),
        "model": _model_section(model),
        "calibration": config.calibration,
        **_own_lift_tests(config),
        "sampler": sampler.model_dump(mode="json", exclude=_at_default(sampler, "cores", "time_budget")),
        "thresholds": config.thresholds.model_dump(mode="json", exclude_defaults=True),
        "audit": config.audit.model_dump(mode="json"),
        "forecast": config.forecast.model_dump(mode="json"),
        "decision": config.decision.model_dump(mode="json"),
    }
    lines = [EDITOR_LINE] if for_editors else []
    lines += [f"# {' '.join(heading.split())}\n"] if heading else []
    for name, value in sections.items():
        lines += [f"# {line}\n" for line in _COMMENTS.get(name, ())]
        lines += _as_comments(reasons or {}) if name == "model" else []
        if value is None:
            continue  # a section that is only explained
        flow = None if isinstance(value, dict | list) else False  # None: only the innermost ones in one line
        lines += _as_yaml({name: value}, flow=flow)
    write_text(path, "".join(lines))
    if for_editors:
        write_schema(path.parent)


def _as_comments(reasons: Mapping[str, str]) -> list[str]:
    """Each reason behind the name of its setting, wrapped."""
    wrapped: list[str] = []
    for name, reason in reasons.items():
        text = " ".join(f"{name}, because {reason}".split())
        wrapped += textwrap.wrap(text, 110, subsequent_indent="  ", break_on_hyphens=False)
    return [f"# {line}\n" for line in wrapped]


_COMMENTS = {
    "data": ("CSV, Excel (.xlsx) or Parquet, relative to this file",),
    "csv": ("how the file is written, which is not asked anew each time",),
    "target": ("kind: revenue or conversions",),
    "channels": (
        "spend columns; with options: {column: views, unit: views} or {column: views, cost: views_cost};",
        "a channel of its own kind: {column: tv, adstock: {kind: delayed, max_lag: 8}, saturation: hill}",
    ),
    "currency": ("written after amounts of money",),
    "controls": ("names, or {column: price, effect: any}; effect: positive (default), negative, any",),
    "model": (
        "max_lag: rows over which media works; yearly_seasonality: Fourier order 1 to 10, or null; where wanted also",
        "  trend: {changepoints: 5}       (how often its slope may change; the last one goes on in forecasts)",
        "  events: {sale: [2023-11-24, {start: 2024-11-29, end: 2024-12-02}], launch: 2025-03-01}",
        "  likelihood: truncated_normal   (a target near 0 that is never negative; student_t: outliers)",
    ),
    "calibration": (
        "calibration: lift.csv            (lift tests: channel, date, x, delta_x, delta_y, sigma; in the period of",
        "  the date the channel went from x to x + delta_x, and the target moved by delta_y, give or take sigma)",
    ),
    "sampler": (
        "ess_target: smallest effective sample size wanted; below it a fit is drawn again, up to max_draws",
    ),
    "thresholds": ("overrides of the platform's checks, for example {rhat_max: 1.02}",),
    "audit": ("what 'mmm audit' and its weekly run look at; 0 or false leaves a part out",),
    "forecast": (
        "plan: CSV, Excel or Parquet with dates and planned media of the coming periods, relative to this file",
    ),
    "decision": (
        "margin: what a unit of the target earns before media, a share of revenue or money per conversion;",
        "  budget: an amount, last_4, last_13, profit, roi 2, mroi 1, +20000, -10%;",
        "  objective: mean, worst 5%, reach 120000, beat today",
    ),
}


def _model_section(model: ModelConfig) -> dict[str, object]:
    """The section ``model`` as a person writes it: the preset by its name, what it chooses left out."""
    chosen = PRESETS[model.preset]
    hidden = _at_default(model, "weekly_seasonality", "n_basis", "likelihood", "trend")
    hidden |= {"holidays", "events", "preset", "returns", "baseline"}
    if model.likelihood_power == chosen.get("likelihood_power", 1.0):
        hidden |= {"likelihood_power"}
    section = model.model_dump(mode="json", exclude=hidden)
    if model.adstock.half_life is None:
        del section["adstock"]["half_life"]
    section["priors"] = {"preset": model.preset, **model.priors} if model.priors else model.preset
    if model.returns != (ReturnsConfig() if "returns" in chosen else None):
        section["returns"] = None if model.returns is None else model.returns.model_dump(mode="json")
    if model.holidays is not None:
        section["holidays"] = _short_holidays(model.holidays)
    if model.baseline != _chosen_baseline(model):
        section["baseline"] = None if model.baseline is None else model.baseline.model_dump(mode="json")
    if model.events:
        section["events"] = short_events(model.events)
    return section


def holidays_section(holidays: HolidaysConfig) -> str:
    """The section ``model`` of a client file with nothing but these holidays, as YAML."""
    return _as_yaml({"model": {"holidays": _short_holidays(holidays)}}, flow=None)


def _short_holidays(holidays: HolidaysConfig) -> dict[str, object]:
    place = holidays.model_dump(mode="json", exclude={"days"}, exclude_none=True)
    return {**place, "days": short_events(holidays.days)}


def _as_yaml(values: dict[str, object], *, flow: bool | None) -> str:
    text: str = yaml.safe_dump(
        values, sort_keys=False, allow_unicode=True, width=110, default_flow_style=flow
    )
    return text


def _chosen_baseline(model: ModelConfig) -> BaselineConfig | None:
    """The baseline that the preset chooses for a model with these other terms."""
    terms = {
        "priors": model.preset,
        "trend": model.trend,
        "time_varying_intercept": model.time_varying_intercept,
    }
    chosen = with_preset(terms)
    return BaselineConfig() if isinstance(chosen, dict) and "baseline" in chosen else None


def _written_form(config: ClientConfig) -> dict[str, object]:
    """How the data file is written, where the client file says it."""
    csv = config.csv.model_dump(mode="json", exclude_defaults=True)
    sheet: dict[str, object] = {} if config.sheet is None else {"sheet": config.sheet}
    return {"csv": csv, **sheet} if csv else sheet


def _own_lift_tests(config: ClientConfig) -> dict[str, object]:
    """Lift tests that stand in the client file itself."""
    own = config.lift_tests if config.calibration is None else ()
    tests = [test.model_dump(mode="json", exclude_defaults=True) for test in own]
    return {"lift_tests": tests} if tests else {}


def list_clients(data_dir: Path) -> list[str]:
    """Ids of the clients with a file ``<id>.yaml`` in the folder, in natural order; none where there is no such folder.

    Files whose names are no client ids are passed over (`misnamed_clients`).
    """
    ids = (path.stem for path in data_dir.glob("*.yaml") if re.fullmatch(CLIENT_ID, path.stem))
    return sorted(ids, key=natural_order)


def misnamed_clients(data_dir: Path) -> list[str]:
    """Names of YAML files in the folder that `list_clients` passes over, in natural order; none of hidden ones."""
    clients = {f"{client}.yaml" for client in list_clients(data_dir)}
    files = [
        path for path in data_dir.glob("*") if path.suffix.lower() in (".yaml", ".yml") and path.is_file()
    ]
    names = (path.name for path in files if path.name not in clients and not path.name.startswith("."))
    return sorted(names, key=natural_order)


def _short(entry: ChannelConfig | ControlConfig) -> object:
    """A column's settings as they are written: its bare name when nothing else is set."""
    options = entry.model_dump(mode="json", exclude_defaults=True)
    return entry.column if options.keys() == {"column"} else options


def _at_default(settings: Frozen, *names: str) -> set[str]:
    """Those of ``names`` that hold their default."""
    fields = type(settings).model_fields
    return {name for name in names if getattr(settings, name) == fields[name].default}


def _missing_file(path: Path) -> Fault:
    clients = list_clients(path.parent)
    if path.with_suffix(".yml").exists():
        fix = f"rename {path.stem}.yml to {path.name}"
    else:
        fix = nearest(path.stem, clients) or "create it, for example with 'mmm add'"
    listed = ", ".join(clients[:10]) + (", …" if len(clients) > 10 else "") if clients else "none"
    return Fault("the file", "no such file", f"a client file (there are: {listed})", fix)


def _parse(document: Document) -> tuple[ClientConfig | None, tuple[Fault, ...]]:
    """Settings and all faults; faulty settings are left out, and None comes back when too little is left."""
    if not document.readable:
        return None, document.faults
    config, faults = _draft(document).validate()
    return config, (*document.faults, *faults)


def _draft(document: Document) -> Draft[ClientConfig]:
    draft = Draft(document, ClientConfig)
    for name in ("channels", "controls"):
        draft.list_entries(name, columns_as_mappings)
    return draft
