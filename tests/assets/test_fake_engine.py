"""The fake stands for the real thing: same signature, a posterior that the engine can read."""

import inspect

import pytest

from tests.assets.fake_engine import FakeSampler


@pytest.mark.parametrize(("module", "name"), [("sampler", "fit"), ("fleets.recovery", "recovery_scores")])
def test_the_fake_can_be_called_as_the_engine_is(module, name):
    """Its arguments are the engine's, and what the engine has beside them has a default."""
    from importlib import import_module

    real = inspect.signature(getattr(import_module(f"mmm_engine.{module}"), name)).parameters
    fake = inspect.signature(getattr(FakeSampler(), name)).parameters
    for key, parameter in fake.items():
        assert (real[key].kind, real[key].default) == (parameter.kind, parameter.default)
    assert all(real[key].default is not inspect.Parameter.empty for key in real.keys() - fake.keys())
