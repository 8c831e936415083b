"""The settings of one client, checked once at the door.

Here: what a client file may say (frozen types with their ranges), reading, writing and listing client files.
Not here: YAML as text (files/yaml_document.py), how a refusal is worded (validation.py), the terms of the model and
their priors (model_config.py), the rows (rows/client_data.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from mmm_engine.client.audit_config import AuditConfig, ForecastConfig
from mmm_engine.client.decision_config import DecisionConfig
from mmm_engine.client.lift_test_config import MOST_TESTS, LiftTest, lift_test_problems
from mmm_engine.client.model_config import (
    AdstockConfig,
    ModelConfig,
    Priors,
    SaturationKind,
    term_name_problems,
)
from mmm_engine.client.return_priors import ReturnPrior
from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.validation import DataPath, Frozen, PlainText, Problem, refusal, refused
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.header import usable_name
from mmm_engine.files.table_form import DateOrder, DecimalMark, Encoding, Separator, TableForm
from mmm_engine.files.yaml_document import Location, shorten

MOST_COLUMNS = 200
"""Channels, and controls: each has parameters of its own, and several checks compare them all with each other."""
CLIENT_ID = r"^[a-z0-9][a-z0-9_-]{0,62}$"
# Words that stand for something else beside column names in the platform's own tables.
RESERVED_COLUMNS = frozenset({"date", "split", "all", "baseline", "seasonality"})


def _checked_id(text: str) -> str:
    if re.fullmatch(CLIENT_ID, text) is None or text.endswith("\n"):
        wanted = "1 to 63 of a-z, 0-9, '_' and '-', starting with a letter or digit"
        fix = "rename the client and its files"
        if usable := _usable_id(text):
            fix += f", for example to '{usable}'"
        raise refused(f"the client id {shorten(text)}", wanted, fix)
    return text


def _usable_id(text: str) -> str:
    """The id that is nearest to a text, empty where nothing of it can be used.

    >>> _usable_id("Müller & Söhne")
    'muller_sohne'
    """
    letters = unicodedata.normalize("NFKD", text[:200]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9-]+", "_", letters).strip("_-")[:63]


def _checked_column(text: str) -> str:
    text = unicodedata.normalize("NFC", text)  # as in headers: what looks the same is the same
    if not text or text != text.strip() or len(text) > 200 or not text.isprintable():
        wanted = "a column name of 1 to 200 printable characters without spaces around it"
        typed = usable_name(text)
        is_usable = typed != text and typed.isprintable() and 0 < len(typed) <= 200
        fix = "use the name as it stands in the header of the data file"
        if is_usable:
            fix = f"write {shorten(typed)}: characters that nobody sees are left out of headers too"
        raise refused(shorten(text), wanted, fix)
    return text


def columns_as_mappings(value: object) -> object:
    """Columns written as names, as mappings or as one mapping, in one form: a tuple of mappings.

    What is none of these stays as it is, for the validation to refuse.

    >>> columns_as_mappings({"tv": {"cost": "tv_cost"}, "radio": None})
    ({'cost': 'tv_cost', 'column': 'tv'}, {'column': 'radio'})
    """
    if isinstance(value, Mapping):
        entries = []
        for column, options in value.items():
            options = {} if options is None else options
            entries.append({**options, "column": column} if isinstance(options, Mapping) else options)
        return tuple(entries)
    if isinstance(value, list | tuple):
        return tuple({"column": entry} if isinstance(entry, str) else entry for entry in value)
    return value


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _column_as_mapping(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


Column = Annotated[str, AfterValidator(_checked_column)]


class TargetConfig(Frozen):
    """The column that is explained: money (``revenue``) or a count (``conversions``)."""

    column: Column
    kind: Literal["revenue", "conversions"] = "revenue"


def units_of_money(currency: str) -> frozenset[str]:
    """Units that say that a channel is counted in money; any other unit is media, not money."""
    return frozenset({"", "spend", "money", "cost", "currency", currency})


class ChannelConfig(Frozen):
    """One media column.

    ``unit`` says what the column counts; ``cost`` names the column with its money when that is another one.
    ``adstock``, ``saturation``, ``priors`` and ``returns`` override those of the model for this channel.
    """

    column: Column
    unit: Annotated[PlainText, Field(min_length=1, max_length=40)] = "spend"
    cost: Column | None = None
    adstock: AdstockConfig | None = None
    saturation: SaturationKind | None = None
    priors: Priors = Field(default_factory=dict)
    returns: ReturnPrior | None = None


class ControlConfig(Frozen):
    """One column that is not media; ``effect`` is the sign that its effect may have.

    ``reference`` is the value from which its contribution counts: 0, or the mean of the training rows. Without it the
    preset decides: calibrated takes the mean of a column that never comes near 0, as a price.
    """

    column: Column
    effect: Literal["positive", "negative", "any"] = "positive"
    reference: Literal["zero", "mean"] | None = None


class SamplerConfig(Frozen):
    """How the posterior is sampled; ``cores`` None takes what the machine has, ``time_budget`` is in seconds.

    A fit whose smallest effective sample size misses ``ess_target``, whose chains disagree, or that has divergent draws
    is tried again with more effort, up to ``max_draws`` per chain (posterior/effort.py); with None it is not.
    """

    draws: Annotated[int, Field(ge=1, le=100_000)] = 1000
    tune: Annotated[int, Field(ge=1, le=100_000)] = 500
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    target_accept: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    cores: Annotated[int, Field(ge=1, le=1024)] | None = None
    ess_target: Annotated[float, Field(gt=0)] | None = 400.0
    max_draws: Annotated[int, Field(ge=1, le=100_000)] = 4000
    time_budget: Annotated[float, Field(gt=0, le=86_400)] = 3600.0


class CsvConfig(Frozen):
    """How the data file was written, where it cannot be told from its cells or should not be told anew each time.

    ``separator`` and ``encoding`` are those of a CSV file; the others hold for any file. ``blank_media_is_zero`` says
    that cells of media and costs are blank where nothing was spent or counted.
    """

    separator: Separator | None = None
    decimal: DecimalMark | None = None
    dates: DateOrder | None = None
    encoding: Encoding | None = None
    blank_media_is_zero: bool = False


class ClientConfig(Frozen):
    """Everything a client's file says.

    ``data`` and ``calibration`` are relative to the folder of that file. ``lift_tests`` are the rows of
    ``calibration``, a table of lift tests in original units (lift_tests.py).
    ``currency`` is written after amounts of money ("EUR"); it changes no number.
    """

    client: Annotated[str, AfterValidator(_checked_id)]
    data: DataPath
    csv: CsvConfig = CsvConfig()
    sheet: Annotated[PlainText, Field(min_length=1, max_length=100)] | None = None
    date: Column
    target: Annotated[TargetConfig, BeforeValidator(_column_as_mapping)]
    channels: Annotated[
        tuple[ChannelConfig, ...],
        Field(min_length=1, max_length=MOST_COLUMNS),
        BeforeValidator(columns_as_mappings),
    ]
    controls: Annotated[
        tuple[ControlConfig, ...], Field(max_length=MOST_COLUMNS), BeforeValidator(columns_as_mappings)
    ] = ()
    currency: Annotated[PlainText, Field(max_length=8, pattern=r"^\S*$")] = ""
    model: ModelConfig = ModelConfig()
    calibration: DataPath | None = None
    lift_tests: Annotated[tuple[LiftTest, ...], Field(max_length=MOST_TESTS), BeforeValidator(_as_tuple)] = ()
    sampler: SamplerConfig = SamplerConfig()
    thresholds: ThresholdConfig = ThresholdConfig()
    audit: AuditConfig = AuditConfig()
    forecast: ForecastConfig = ForecastConfig()
    decision: DecisionConfig = DecisionConfig()

    @model_validator(mode="before")
    @classmethod
    def _drop_empty_sections(cls, values: object) -> object:
        """A section whose lines are all commented out reads as None and means its defaults."""
        if not isinstance(values, Mapping):
            return values
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: value for name, value in values.items() if value is not None or name not in optional}

    @model_validator(mode="after")
    def _check_columns(self) -> ClientConfig:
        taken = RESERVED_COLUMNS | {self.date, self.target.column, *self.channel_names, *self.control_names}
        problems = [
            *_column_problems(self),
            *term_name_problems(self.model, taken),
            *lift_test_problems(self.lift_tests, self.channel_names),
            *self.decision.name_problems(self.channel_names),
        ]
        if problems:
            raise refusal(*problems)
        return self

    def with_lift_tests(self, tests: Iterable[LiftTest]) -> ClientConfig:
        """The settings with other lift tests; tests of channels that the client does not have are left out."""
        channels = set(self.channel_names)
        of_channels = tuple(test for test in tests if test.channel in channels)
        return self.model_copy(update={"lift_tests": of_channels})

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> ClientConfig:
        """The settings as `model_dump` stored them; what a version did not know yet is as it was in it."""
        before = {"preset": "toolkit", "returns": None, "likelihood_power": 1.0}
        return cls.model_validate({**record, "model": {**before, **record["model"]}})

    @property
    def table_form(self) -> TableForm:
        """What the file says of how its data file was written."""
        return TableForm(**self.csv.model_dump(exclude={"blank_media_is_zero"}), sheet=self.sheet)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Columns of the channels, in the order of the file."""
        return tuple(channel.column for channel in self.channels)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Columns of the controls, in the order of the file."""
        return tuple(control.column for control in self.controls)

    @property
    def cost_names(self) -> tuple[str, ...]:
        """Money columns of the channels that are not measured in money themselves."""
        return tuple(channel.cost for channel in self.channels if channel.cost is not None)

    @property
    def paid(self) -> tuple[bool, ...]:
        """Whether money buys each channel's media: it has a column of cost, or is counted in money itself."""
        units = units_of_money(self.currency)
        return tuple(channel.cost is not None or channel.unit in units for channel in self.channels)

    @property
    def longest_lag(self) -> int:
        """Largest ``max_lag`` of any channel: the rows it takes until no channel starts cold."""
        return max((channel.adstock or self.model.adstock).max_lag for channel in self.channels)

    @property
    def config_version(self) -> str:
        """12 hex digits that change when, and only when, a setting that can change a posterior changes."""
        beside = {
            "data",
            "csv",
            "sheet",
            "thresholds",
            "calibration",
            "currency",
            "audit",
            "forecast",
            "decision",
        }
        settings = self.model_dump(mode="json", exclude=beside)
        del settings["sampler"]["cores"], settings["sampler"]["time_budget"]
        if settings["model"]["preset"] == "toolkit":
            del settings["model"]["preset"]  # as before there were presets
        for section, name in (
            (settings, "lift_tests"),
            (settings["model"], "weekly_seasonality"),
            (settings["model"], "baseline"),
            (settings["model"], "trend"),
            (settings["model"], "holidays"),
            (settings["model"], "events"),
            (settings["model"], "returns"),
            *((channel, "returns") for channel in settings["channels"]),
        ):
            if not section[name]:
                del section[name]  # what is not there changes no number
        if settings["model"]["likelihood_power"] == 1.0:
            del settings["model"]["likelihood_power"]  # as before there was one
        for owner in (settings["model"], *settings["channels"]):
            if owner["adstock"] and not owner["adstock"]["half_life"]:
                del owner["adstock"]["half_life"]
        for channel in settings["channels"]:
            del channel["unit"]  # a label
        for control in settings["controls"]:
            if control["reference"] is None:
                del control["reference"]
        canonical = json.dumps(settings, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def check_client_id(text: str) -> str:
    """The id itself when it is allowed; every path and partition key is made from ids that passed here.

    Raises:
        ConfigError: If the id does not match ``CLIENT_ID``.

    >>> check_client_id("ms")
    'ms'
    """
    try:
        return _checked_id(text)
    except PydanticCustomError as error:
        problem: Problem = (error.context or {})["problems"][0]
        fault = Fault("client id", problem.found, problem.wanted, problem.fix)
        raise ConfigError("client", fault) from None


def _column_problems(config: ClientConfig) -> Iterator[Problem]:
    """Every column that is named twice or has a reserved name."""
    named: list[tuple[Location, str]] = [
        (("date",), config.date),
        (("target", "column"), config.target.column),
    ]
    for index, channel in enumerate(config.channels):
        named.append((("channels", index, "column"), channel.column))
        if channel.cost is not None:
            named.append((("channels", index, "cost"), channel.cost))
    named += [(("controls", index, "column"), entry.column) for index, entry in enumerate(config.controls)]
    seen: set[str] = set()
    for location, column in named:
        if column in seen:
            found = f"column '{column}', which is already used above"
            yield Problem(location, found, "each column in one place", "delete one of the two")
        elif column in RESERVED_COLUMNS and location != ("date",):
            wanted = (
                f"another name ({', '.join(sorted(RESERVED_COLUMNS))} mean something else in the results)"
            )
            yield Problem(
                location, f"column '{column}'", wanted, "rename the column in the data file and here"
            )
        seen.add(column)
