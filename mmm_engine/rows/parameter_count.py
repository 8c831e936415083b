"""How many parameters the model of a client has.

Here: one number, for the rule of rows per parameter.
Not here: their names and priors (model/specification.py), what is told of the number (findings.py).
"""

from __future__ import annotations

from mmm_engine.client.config import ClientConfig
from mmm_engine.client.model_config import AdstockKind, SaturationKind

_ADSTOCK_PARAMETERS: dict[AdstockKind, int] = {
    "geometric": 1, "delayed": 2, "binomial": 1, "weibull_pdf": 2, "weibull_cdf": 2, "none": 0
}  # fmt: skip
_SATURATION_PARAMETERS: dict[SaturationKind, int] = {
    "michaelis_menten": 2, "logistic": 2, "inverse_scaled_logistic": 2, "hill": 3, "hill_sigmoid": 3,
    "tanh": 2, "root": 2, "log": 1, "none": 1
}  # fmt: skip


def count_parameters(config: ClientConfig) -> int:
    """Parameters of the model, the weights of HSGP basis functions (which shrink to nothing) left out."""
    model = config.model
    count = 2 + len(config.controls) + 2 * (model.yearly_seasonality or 0)  # intercept and noise
    count += 2 * (model.time_varying_media + model.time_varying_intercept) + (model.likelihood == "student_t")
    count += 2 if model.baseline else 0  # its line and the size of its steps, which shrink to nothing
    count += (model.trend.changepoints if model.trend else 0) + len(model.events) + bool(model.events)
    count += 6 * model.weekly_seasonality + (1 + len(model.holidays.days) if model.holidays else 0)
    for channel in config.channels:
        count += _ADSTOCK_PARAMETERS[(channel.adstock or model.adstock).kind]
        count += _SATURATION_PARAMETERS[channel.saturation or model.saturation]
    return count
