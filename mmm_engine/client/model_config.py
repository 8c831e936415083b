"""The settings of a model: its terms and their priors, checked once at the door.

Here: what the section ``model`` of a client file may say, the overrides of a single channel.
Not here: columns, sampler and thresholds (config.py), lift tests (lift_test_config.py), what a prior or an adstock
means (model/priors.py, model/media_transforms.py).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from mmm_engine.client.log_normal import HalfLife
from mmm_engine.client.presets import Preset, with_preset
from mmm_engine.client.return_priors import ReturnsConfig
from mmm_engine.client.validation import Frozen, Problem, nearest, refusal
from mmm_engine.distributions.arguments import prior_problems
from mmm_engine.files.yaml_document import describe, shorten

PROCESS_SETTINGS = ("media_tvp_config", "intercept_tvp_config")  # the priors of a time-varying term
PROCESS_KEYS = ("m", "L", "eta_lam", "ls_mu", "ls_sigma", "cov_func")

AdstockKind = Literal["geometric", "delayed", "binomial", "weibull_pdf", "weibull_cdf", "none"]
KINDS_WITH_HALF_LIFE: tuple[AdstockKind, ...] = ("geometric", "delayed")
"""Adstocks whose carry-over one half-life tells."""

SaturationKind = Literal[
    "michaelis_menten",
    "logistic",
    "inverse_scaled_logistic",
    "hill",
    "hill_sigmoid",
    "tanh",
    "root",
    "log",
    "none",
]


def _checked_priors(priors: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    problems = [problem for name, prior in priors.items() for problem in _prior_problems(name, prior)]
    if problems:
        raise refusal(*problems)
    return priors


def _prior_problems(name: str, prior: dict[str, object]) -> Iterator[Problem]:
    try:
        json.dumps(prior, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        wanted = "text, finite numbers, lists and mappings"
        yield Problem((name,), "a prior with other values", wanted, "mend the values of the prior")
        return
    if name in PROCESS_SETTINGS:
        yield from _process_problems(name, prior)
    elif not isinstance(prior.get("distribution"), str):
        wanted = "a mapping with the name of its distribution and numbers for its parameters"
        yield Problem(
            (name,), "a prior without 'distribution'", wanted, "write {distribution: HalfNormal, sigma: 1}"
        )
    else:
        for found in prior_problems(prior):
            fix = nearest(found.word, found.choices) or found.fix
            yield Problem((name, *found.path), found.found, found.wanted, fix)


def _process_problems(name: str, settings: dict[str, object]) -> Iterator[Problem]:
    """Faults in the settings of a time-varying term."""
    for key, value in settings.items():
        if key not in PROCESS_KEYS:
            fix = nearest(key, PROCESS_KEYS) or "delete it"
            yield Problem(
                (name, key), f"an unknown setting {shorten(key)}", f"one of {', '.join(PROCESS_KEYS)}", fix
            )
        elif key == "cov_func":
            if str(value).lower() != "matern52":
                yield Problem((name, key), describe(value), "'matern52'", "delete it: there is no other one")
        elif isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            yield Problem((name, key), describe(value), "a number above 0", "write such a number")


def _checked_day(text: str) -> str:
    try:
        if len(text) == 10:
            return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise _refused(shorten(text), "a date written as YYYY-MM-DD", "write the date so")


def _checked_event_name(text: str) -> str:
    if not text or text != text.strip() or len(text) > 60 or not text.isprintable():
        raise _refused(
            shorten(text), "a name of 1 to 60 printable characters", "name what happened on these days"
        )
    return text


def _events_as_list(value: object) -> object:
    """Events written as one mapping, name to days, in the form of a list."""
    if isinstance(value, Mapping):
        return tuple({"name": name, "days": days} for name, days in value.items())
    return tuple(value) if isinstance(value, list) else value


def _days_as_mappings(value: object) -> object:
    """Days written bare, alone or in a list, as mappings with a start and an end."""
    entries = value if isinstance(value, list | tuple) else [value]
    for entry in entries:
        if not isinstance(entry, str | Mapping | EventDays):
            wanted = "a day (YYYY-MM-DD), a list of days, or {start: …, end: …}"
            raise _refused(describe(entry), wanted, "write the days of the event")
    return tuple({"start": entry, "end": entry} if isinstance(entry, str) else entry for entry in entries)


def _refused(found: str, wanted: str, fix: str) -> PydanticCustomError:
    return refusal(Problem((), found, wanted, fix))


Day = Annotated[str, AfterValidator(_checked_day)]
Priors = Annotated[dict[str, dict[str, object]], AfterValidator(_checked_priors)]


MOST_EVENTS = 200
"""Names of events, and of holidays: each is a column of the model."""


class AdstockConfig(Frozen):
    """How long a period's media goes on working.

    ``max_lag`` is the number of periods that carry an effect, the current one included. ``half_life`` is the prior of
    the carry-over of the kinds geometric and delayed, in days; a number is its median.
    """

    kind: AdstockKind = "geometric"
    max_lag: Annotated[int, Field(ge=1, le=52)] = 4
    half_life: HalfLife | None = None

    @model_validator(mode="after")
    def _check_half_life(self) -> AdstockConfig:
        if self.half_life is not None and self.kind not in KINDS_WITH_HALF_LIFE:
            wanted = f"a half-life with the kinds {' and '.join(KINDS_WITH_HALF_LIFE)} alone"
            fix = "delete half_life, and write priors for the kind's own parameters"
            raise refusal(Problem(("half_life",), f"a half-life of the kind '{self.kind}'", wanted, fix))
        return self


class TrendConfig(Frozen):
    """A baseline that rises and falls in straight lines.

    ``changepoints`` is how often the slope may change: at the first training row and evenly spaced after it.
    """

    changepoints: Annotated[int, Field(ge=1, le=50)] = 10


class BaselineConfig(Frozen):
    """A baseline whose level wanders: a line over time plus a random walk, straight between knots.

    ``knots`` is the number of equally long spans of the training rows; at the end of each the level has made a step of
    its own. In rows to come the walk goes on without a known direction, so that forecasts widen and do not run away.
    """

    knots: Annotated[int, Field(ge=2, le=52)] = 12

    @property
    def steps(self) -> int:
        """Steps of the level, those of rows to come included: half as many as within the training rows."""
        return self.knots + -(-self.knots // 2)


class EventDays(Frozen):
    """The first and the last day of an event."""

    start: Day
    end: Day

    @model_validator(mode="after")
    def _check_order(self) -> EventDays:
        if self.end < self.start:
            raise refusal(Problem(("end",), self.end, f"{self.start} or later", "swap the two days"))
        return self


class EventConfig(Frozen):
    """Something that moves the target around certain days, by the same amount each time ("black friday")."""

    name: Annotated[str, AfterValidator(_checked_event_name)]
    days: Annotated[tuple[EventDays, ...], Field(min_length=1), BeforeValidator(_days_as_mappings)]


class HolidaysConfig(Frozen):
    """Public holidays that the target is to be freed of; their days stand in the client file.

    ``country`` and ``subdivision`` say where the days came from (ISO 3166, as the package `holidays` names them);
    ``days`` is what counts, so that a newer version of the package changes no number (`client/holidays.py`).
    """

    country: Annotated[str, Field(pattern=r"^[A-Z]{2,3}$")]
    subdivision: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[\w -]+$")] | None = None
    days: Annotated[
        tuple[EventConfig, ...], Field(min_length=1, max_length=MOST_EVENTS), BeforeValidator(_events_as_list)
    ]

    @model_validator(mode="after")
    def _check_names(self) -> HolidaysConfig:
        names = [holiday.name for holiday in self.days]
        for index, name in enumerate(names):
            if name in names[:index]:
                found = f"the holiday '{name}' a second time"
                raise refusal(Problem(("days", index, "name"), found, "each name once", "join their days"))
        return self


class ModelConfig(Frozen):
    """The structure of the model.

    ``priors`` names a preset, or maps parameters to priors (with the name under ``preset``); the preset chooses the
    saturation, the priors on returns, the power of the likelihood and whether the baseline wanders where the file does
    not.
    ``yearly_seasonality`` is a Fourier order, ``weekly_seasonality`` gives each day of the week an effect (daily rows),
    ``n_basis`` is the number of HSGP basis functions, ``events`` a mapping of names to days. A target that cannot be
    negative and comes near 0 has the likelihood ``truncated_normal``. ``likelihood_power`` is how much a row counts
    against priors and lift tests: 1 where the model is exactly right, less where its curves only come near. With
    ``returns`` the scales of the channels' curves follow from priors on what channels bring.
    """

    preset: Preset = "calibrated"
    adstock: AdstockConfig = AdstockConfig()
    saturation: SaturationKind = "hill"
    time_varying_media: bool = False
    time_varying_intercept: bool = False
    yearly_seasonality: Annotated[int, Field(ge=1, le=10)] | None = None
    weekly_seasonality: bool = False
    n_basis: Annotated[int, Field(ge=5, le=500)] = 50
    baseline: BaselineConfig | None = None
    trend: TrendConfig | None = None
    holidays: HolidaysConfig | None = None
    events: Annotated[
        tuple[EventConfig, ...], Field(max_length=MOST_EVENTS), BeforeValidator(_events_as_list)
    ] = ()
    likelihood: Literal["normal", "student_t", "truncated_normal"] = "normal"
    likelihood_power: Annotated[float, Field(gt=0, le=1)] = 1.0
    priors: Priors = Field(default_factory=dict)
    returns: ReturnsConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_preset(cls, values: object) -> object:
        return with_preset(values)

    @property
    def likelihood_name(self) -> object:
        """Distribution of the target around its mean: that of the client's own prior, where there is one."""
        usual = {"normal": "Normal", "student_t": "StudentT", "truncated_normal": "TruncatedNormal"}
        return self.priors.get("likelihood", {}).get("distribution", usual[self.likelihood])


def short_events(events: Iterable[EventConfig]) -> dict[str, object]:
    """Events as a person writes them: name to days, a single day bare."""
    return {
        event.name: [
            once.start if once.start == once.end else once.model_dump(mode="json") for once in event.days
        ]
        for event in events
    }


def term_name_problems(model: ModelConfig, taken: Iterable[str]) -> Iterator[Problem]:
    """Events, and terms of the calendar, that are called like something else: all of them are parts of the target."""
    used = set(taken)
    for setting, name, switched_on in (
        ("trend", "trend", model.trend is not None),
        ("weekly_seasonality", "weekday", model.weekly_seasonality),
        ("holidays", "holidays", model.holidays is not None),
    ):
        if switched_on and name in used:
            found = f"a part '{name}' of the target, and a column of that name"
            fix = "rename the column in the data file and here"
            yield Problem(("model", setting), found, "one of the two", fix)
        used |= {name} if switched_on or name == "trend" else set()
    for index, event in enumerate(model.events):
        if event.name in used:
            found = f"the event '{event.name}', a name that is used for something else"
            yield Problem(("model", "events", index, "name"), found, "a name of its own", "rename the event")
        used.add(event.name)
