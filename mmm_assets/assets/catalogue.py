"""What Dagster's catalogue says of every asset beside its own words: whose it is, and tags that it can be found by.

Here: the owner, the version of the code, and three tags, for example `tag:"mmm/layer"="judgement"` in the search of the
catalogue.
Not here: description, group and kinds, which stand with each asset.
"""

from __future__ import annotations

import dagster as dg

from mmm_assets.partitions import client_x_window, clients
from mmm_engine.version import ENGINE_VERSION

OWNER = "team:mmm"

#: What an asset is for: `mmm/layer`.
LAYERS = {
    "rows": ("client_file", "client_data", "scaled_inputs"),
    "model": ("fitted_posterior",),
    "result": (
        "adstock_weights",
        "chain_views",
        "channel_returns",
        "decomposition",
        "media_multiplier",
        "parameters",
        "period_returns",
        "predictions",
        "refresh_diff",
        "response_curves",
    ),
    "judgement": (
        "canary",
        "holdout_metrics",
        "identification_scores",
        "metric_history",
        "origin_scores",
        "recovery_scores",
        "sensitivity_scores",
        "stability_scores",
    ),
    "decision": ("budget_plan", "forecast"),
    "page": ("portfolio", "report"),
}
_LAYER_OF = {name: layer for layer, names in LAYERS.items() for name in names}


def catalogued(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset with its owner, its tags and, where a run makes it, the version of the code.

    Tags: `mmm/layer`, what it is for (`LAYERS`); `mmm/per`, what one partition of it belongs to (client_window, client,
    or all_clients); `mmm/work`, whether making it draws from a posterior, which takes a processor for seconds to
    minutes (fits), or only reads what is stored (reads).
    """
    per = {id(client_x_window): "client_window", id(clients): "client"}
    tags = {
        "mmm/layer": _LAYER_OF[spec.key.to_user_string()],
        "mmm/per": per.get(id(spec.partitions_def), "all_clients"),
        "mmm/work": "fits" if "pymc" in spec.kinds else "reads",
    }
    return spec.replace_attributes(owners=[OWNER], tags={**spec.tags, **tags})


def made_by_this_code(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset with the version of the code that makes it, so that a new one is seen as a reason to make it again."""
    return catalogued(spec).replace_attributes(code_version=spec.code_version or ENGINE_VERSION)
