"""The order in which people look for names."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

from mmm_engine.client.client_file import list_clients, misnamed_clients
from mmm_engine.client.natural_order import natural_order


def test_numbers_in_names_count_as_numbers() -> None:
    """Whatever order they come in, names that begin with a number or hold none among them."""
    ordered = ["2024", "10000", "shop", "shop-1", "toy", "toy2", "toy10", "toy10b2", "toy10b11"]
    for names in permutations(ordered[2:8]):
        assert sorted(names, key=natural_order) == ordered[2:8]
    backwards = ordered[::-1]
    assert sorted(backwards, key=natural_order) == ordered


def test_files_of_clients_are_listed_so(tmp_path: Path) -> None:
    """Those that are read and those that are passed over."""
    for name in ("toy10.yaml", "toy2.yaml", "Toy10.yaml", "Toy2.yaml"):
        (tmp_path / name).touch()
    assert list_clients(tmp_path) == ["toy2", "toy10"]
    assert misnamed_clients(tmp_path) == ["Toy2.yaml", "Toy10.yaml"]


def test_windows_sort_alike_by_name_and_in_natural_order() -> None:
    """Their names are padded to two digits; of three digits, natural order is right where text is not."""
    assert sorted(["full", "h12", "h104", "h04"], key=natural_order) == ["full", "h04", "h12", "h104"]
