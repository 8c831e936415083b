"""One client's chain of runs: what is stored, recorded and judged, and what a failure stops."""


from mmm_assets.partitions import WINDOW_NAMES


def test_a_refresh_stores_every_asset_of_every_window(refresh, home):
    """Four windows, three fleets, history and report are there after one refresh."""
    outcome = refresh("shop")
    assert outcome.failures == ()
    storage = home / "storage"
    for asset, extension in {
        "scaled_inputs": "parquet",
        "fitted_posterior": "nc",
        "holdout_metrics": "parquet",
    }.items():
        for window in WINDOW_NAMES:
            assert (storage / asset / "shop" / f"{window}.{extension}").is_file()
