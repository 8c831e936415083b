"""The notebook face: one client's model from a frame, as data scientists write it.

Here: `PymcModel` (pymc_model.py) with its settings, priors, rows, variables and fleets, and what a fleet hands back.
Not here: anything that the engine does by itself; the platform's assets never come by.
Imports: every wing of the engine; none imports it.

    model = PymcModel(client_data=data, target_name="revenue", date_column="week", channel_names=["tv", "radio"],
                      control_names=["price"], lag_max=4)
    model.fit()
    model.holdout_fleet(holdouts=[4, 8, 12])[0]
"""

from mmm_engine.toolkit.pymc_model import PymcModel

__all__ = ["PymcModel"]
