"""Trials: a refresh with less effort than the client file asks for publishes nothing and leaves no trace."""

from __future__ import annotations

import pytest

from mmm_assets.home import TRIALS
from mmm_assets.pages.publication import Publication
from tests.assets.conftest import files_below


def _in_earnest(home):
    """Files of the home but for those of trials."""
    return {name: look for name, look in files_below(home).items() if not name.startswith(f"{TRIALS}/")}


@pytest.mark.parametrize("words", [("--draws", "50"), ("--no-publish",)])
def test_a_trial_leaves_page_history_and_results_as_they_were(mmm, used_home, data_dir, sampler, words):
    """Its own page lies in a home of its own, and its last line says what it was."""
    before = _in_earnest(used_home)
    code, out, _ = mmm("refresh", "shop", "--windows", "full", *words)
    assert code == 0, out
    assert _in_earnest(used_home) == before
    assert "shop: a trial (" in out
    trial = Publication(root=str(used_home / TRIALS)).report_path("shop")
    assert f"Report: {trial}" in out
    assert trial.is_file()


def test_one_chain_whose_agreement_nobody_knows_fails(mmm, used_home, data_dir, sampler):
    """R-hat is not defined for one chain: exit code 1, and the client's page stays as it is."""
    page = Publication(root=str(used_home)).report_path("shop")
    before = page.read_bytes()
    code, out, _ = mmm("refresh", "shop", "--windows", "full", "--chains", "1", "--draws", "50")
    assert code == 1
    assert "R-hat not defined" in out
    assert page.read_bytes() == before


def test_more_effort_than_the_file_asks_for_is_no_trial(mmm, home, data_dir, sampler, quick):
    """It is published."""
    code, out, _ = mmm("refresh", "shop", "--windows", "full", "--draws", "400")
    assert code == 0
    assert "a trial" not in out
    assert Publication(root=str(home)).report_path("shop").is_file()
    assert not (home / TRIALS).exists()
