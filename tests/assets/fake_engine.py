"""A fit that takes milliseconds: random parameters in the real posterior's shape, health chosen by the test.

Only sampling is replaced. Predictions, returns, scores, fleets, gates, history and report are the engine's own.
"""

import threading
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from mmm_engine.errors import Fault, FitError


@dataclass
class FakeSampler:
    """What the next fits look like.

    Attributes:
        unhealthy: Windows whose chains disagree (R-hat far above 1).
        broken: Windows whose fit raises FitError.
        crashing: Windows whose fit raises something that nobody expects.
        fitted: "client window" of every fit so far, in order.
        draws: Kept draws per chain, whatever the settings ask for.
    """

    unhealthy: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    crashing: set[str] = field(default_factory=set)
    fitted: list[str] = field(default_factory=list)
    draws: int = 100
    settings: list = field(default_factory=list)

    def fit(self, inputs, *, sampler=None, label="", progress=None, coordinates="decorrelating"):
        """Random parameters; same signature as ``mmm_engine.posterior.fit.fit``."""
        settings = sampler or inputs.config.sampler
        self.settings.append(settings)
        if inputs.window.name in self.broken:
            raise FitError(
                f"client '{inputs.config.client}'", Fault("draws", "NaN", "numbers", "look at the rows")
            )
        if inputs.window.name in self.crashing:
            raise MemoryError("no memory left")
        self.fitted.append(f"{inputs.config.client} {inputs.window}")
        if progress is not None:
            _report(progress, label, settings)
        from mmm_engine.posterior.fitted_window import FittedWindow

        return FittedWindow.of(inputs, self._tree(inputs, settings))

    def _tree(self, inputs, settings):
        from mmm_engine.model.priors import FROM_RETURN
        from mmm_engine.model.specification import dimension_labels, model_specification
        from mmm_engine.version import ENGINE_VERSION

        specification = model_specification(inputs.config, inputs.calendar.period)
        labels = dimension_labels(inputs.config, specification)
        rng = np.random.default_rng(settings.seed + len(inputs.dates[: inputs.train_rows]))
        chains = settings.chains
        variables, coords = {}, {}
        for spec in specification.parameters:
            size = () if spec.dim is None else (spec.size,)
            values = rng.uniform(0.2, 0.8, (chains, self.draws, *size))
            if any(part.prior == FROM_RETURN for part in spec.parts):
                values *= 0.1  # media bring what a business may believe
            if inputs.window.name in self.unhealthy:
                values += 0.5 * np.arange(chains).reshape(-1, *([1] * (values.ndim - 1)))
            variables[spec.name] = (("chain", "draw", *([spec.dim] if spec.dim else [])), values)
            if spec.dim is not None:
                coords[spec.dim] = labels[spec.dim]
        shape = (chains, self.draws)
        stats = {
            "diverging": np.zeros(shape, dtype=bool),
            "tree_depth": np.full(shape, 4.0),
            "reached_max_treedepth": np.zeros(shape, dtype=bool),
            "energy": rng.normal(size=shape),
            "lp": rng.normal(size=shape),
        }
        tree = xr.DataTree.from_dict(
            {
                "posterior": xr.Dataset(variables, coords=coords),
                "sample_stats": xr.Dataset(
                    {name: (("chain", "draw"), value) for name, value in stats.items()}
                ),
            }
        )
        tree.attrs = {
            "client": inputs.config.client,
            "window": inputs.window.name,
            "cutoff": inputs.cutoff.isoformat(),
            "train_rows": inputs.train_rows,
            "data_version": inputs.data_version,
            "config_version": inputs.config.config_version,
            "engine_version": ENGINE_VERSION,
            "draws": settings.draws,
            "tune": settings.tune,
            "chains": settings.chains,
            "seed": settings.seed,
            "compile_seconds": 0.0,
            "sample_seconds": 0.01,
        }
        return tree


def _report(progress, label, settings):
    """Two messages from another thread, as the sampler does it."""
    from mmm_engine.posterior.progress import ChainProgress, FitProgress

    total = settings.draws + settings.tune

    def at(draw, finished):
        chains = tuple(
            ChainProgress(c, draw, total, draw < settings.tune, 0, 0.1) for c in range(settings.chains)
        )
        return FitProgress(label, chains, finished, draw / total)

    thread = threading.Thread(target=lambda: (progress(at(total // 2, False)), progress(at(total, True))))
    thread.start()
    thread.join()
