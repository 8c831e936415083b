"""Parameters of a fitted model in the units of its target.

Here: a parameter's mean and percentiles, which parameters have the target's units.
Not here: draws of predictions and contributions (results/predictive.py), sampler health (posterior/fit.py).
"""

from __future__ import annotations

import logging
from typing import Any

import xarray as xr

from mmm_engine.client.validation import nearest
from mmm_engine.errors import DataError, Fault
from mmm_engine.model.parameters import MODEL_NAMES, Unit
from mmm_engine.posterior.fitted_window import FittedWindow

logger = logging.getLogger("mmm_engine.toolkit")


def summarize(var_name: str, window: FittedWindow) -> dict[str, Any]:
    """Mean and percentiles of a parameter under the names data scientists know.

    Args:
        var_name: Name of the parameter ("intercept", "adstock_alpha", "controls").
        window: The fitted window.

    Returns:
        variable, coef (mean), ci_up_cassandra (95th percentile), ci_low_cassandra (5th); numbers for a scalar, dicts by
        label for a vector.

    Raises:
        DataError: If there is no such parameter.
    """
    name = MODEL_NAMES.get(var_name, var_name)
    draws = window.posterior["posterior"].dataset
    if name not in draws:
        known = [str(variable) for variable in draws.data_vars]
        fix = nearest(str(var_name), known) or "use one of these"
        fault = Fault("variable", f"'{var_name}'", f"one of {', '.join(known)}", fix)
        raise DataError(f"client '{window.inputs.config.client}'", fault)
    values, factor = (
        draws[name].stack(sample=("chain", "draw"), create_index=False),
        original_units(name, window),
    )
    if factor is not None:
        logger.info("Inverse scaler function for 'target' returned.")
        values = values * factor
    return {
        "variable": var_name,
        "coef": _plain(values.mean("sample")),
        "ci_up_cassandra": _plain(values.quantile(0.95, "sample")),
        "ci_low_cassandra": _plain(values.quantile(0.05, "sample")),
    }


def original_units(name: str, window: FittedWindow) -> float | xr.DataArray | None:
    """What a parameter in model space is multiplied with to be in original units; None where it has its own.

    Intercept, noise, seasonality, days of the week, holidays, changes of the trend's slope (per length of the
    training rows) and the scale of a saturation curve come out in units of the target, sizes of events in units of
    the target times days, effects of controls in units of the target per unit of the control.

    Args:
        name: Name of the parameter in the posterior.
        window: The fitted window.
    """
    inputs, unit = window.inputs, window.specification.parameter(name).unit
    if unit is Unit.TARGET_PER_CONTROL:
        controls = list(inputs.config.control_names)
        return xr.DataArray(
            inputs.scales.target / inputs.scales.control_array(), coords={"control": controls}, dims="control"
        )
    return inputs.scales.target if unit.is_of_target else None


def _plain(values: xr.DataArray) -> float | dict[str, float]:
    """A number as a float, a vector as a dict by label."""
    numbers = values.to_numpy()
    if numbers.ndim == 0:
        return float(numbers)
    labels = values[values.dims[0]].to_numpy()
    return {str(label): float(number) for label, number in zip(labels, numbers, strict=True)}
