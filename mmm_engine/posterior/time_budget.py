"""How long one fit may take.

Here: waiting for a sampler until its budget is spent, and the errors that can follow.
Not here: sampling (nuts.py), the budget itself (client/config.py).
"""

from __future__ import annotations

from typing import Any

from mmm_engine.errors import Fault, FitError


def wait_for_chains(run: Any, seconds: float, name: str) -> None:
    """Wait until all chains have ended; a sampler that never adapts is stopped when the budget is spent.

    Args:
        run: nutpie's sampler; it is stopped, whatever ends the wait early.
        seconds: Budget of this attempt.
        name: What is fitted, for the error.

    Raises:
        FitError: If the budget is spent, or a chain cannot go on.
    """
    try:
        run.wait(seconds)
    except TimeoutError as error:
        run.abort()
        raise FitError(name, _over_budget(seconds)) from error
    except Exception as error:
        raise FitError(name, _sampler_fault(error)) from error
    except BaseException:  # an interrupt, Ctrl-C's or Dagster's own
        run.abort()
        raise


def _over_budget(seconds: float) -> Fault:
    return Fault(
        "sampler",
        f"chains that are not done after {seconds:g} s",
        "a fit inside its time budget",
        "look for channels that never vary (`mmm check`), or raise 'sampler.time_budget' (seconds)",
    )


def _sampler_fault(error: Exception) -> Fault:
    return Fault(
        "sampler",
        str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__,
        "a finite log density at the start of every chain",
        "check the priors in the client file and the data findings of `mmm check`; another seed may help",
    )
