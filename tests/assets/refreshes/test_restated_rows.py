"""A file that takes back what it said publishes nothing until it is accepted."""

import pandas as pd

from mmm_assets.pages.publication import Publication
from mmm_assets.storage.io_managers import ClientDataFiles


def test_a_file_that_lost_rows_is_held_until_it_is_accepted(refresh_again, used_home, data_dir, mmm, quick):
    """Rows and report of the last refresh stay, the report is marked; accepted once, it is the new measure."""
    path, home = data_dir / "shop.csv", str(used_home)
    whole = pd.read_csv(path)
    whole.iloc[:-12].to_csv(path, index=False)
    outcome = refresh_again("shop", windows=("full",))
    assert not outcome.succeeded
    assert any("12 rows are gone" in failure for failure in outcome.failures)
    publication, files = Publication(root=home), ClientDataFiles(root=home)
    status = publication.status("shop")
    assert not status.published
    assert "--accept-restated" in status.reasons[0]
    assert "Stale since" in publication.report_path("shop").read_text()
    assert len(files.read("client_data", "shop")) == len(whole)
    code, out, _ = mmm("refresh", "shop", "--windows", "full", "--accept-restated")
    assert code == 0, out
    assert publication.status("shop").published
    assert len(files.read("client_data", "shop")) == len(whole) - 12
    assert refresh_again("shop", windows=("full",)).succeeded
