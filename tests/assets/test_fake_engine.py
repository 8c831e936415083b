"""The fake stands for the real thing: same signature, a posterior that the engine can read."""

import inspect

from tests.assets.fake_engine import FakeSampler


def test_the_fake_can_be_called_as_the_engine_is():
    """Its arguments are the engine's, and what the engine has beside them has a default."""
    from mmm_engine.posterior.fit import fit

    real, fake = inspect.signature(fit).parameters, inspect.signature(FakeSampler().fit).parameters
    for key, parameter in fake.items():
        assert (real[key].kind, real[key].default) == (parameter.kind, parameter.default)
    assert all(real[key].default is not inspect.Parameter.empty for key in real.keys() - fake.keys())
