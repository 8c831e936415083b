"""Settings of every test: examples that do not change from run to run, and no deadline on a busy machine."""

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
