"""Checking a prior as it is written: its distribution's name, the names of its arguments and their ranges.

Here: every fault of a mapping such as `{distribution: HalfNormal, sigma: 1}`, priors on arguments included.
Not here: where it stands in a file and how a refusal is worded (client/validation.py), the prior as a value
(model/priors.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mmm_engine.distributions.family import Argument, Distribution, Parametrisation
from mmm_engine.distributions.table import DISTRIBUTIONS

BESIDE_ARGUMENTS = frozenset({"distribution", "dist", "kwargs", "dims", "centered", "transform"})
"""What pymc-extras writes beside the arguments; `dims` and `centered` change no number: each term has its own."""

_SYNONYMS = {  # names in other packages -> PyMC's, the first that the distribution has
    "sd": ("sigma",),
    "std": ("sigma",),
    "stdev": ("sigma",),
    "scale": ("sigma", "beta", "b", "s"),
    "mean": ("mu",),
    "loc": ("mu", "alpha"),
    "rate": ("lam", "beta"),
    "df": ("nu",),
    "shape": ("alpha",),
    "low": ("lower",),
    "high": ("upper",),
    "min": ("lower",),
    "max": ("upper",),
}


@dataclass(frozen=True)
class PriorProblem:
    """What is wrong in a prior.

    Attributes:
        path: The way to it inside the prior: () for the prior itself, ("sigma",) for an argument.
        found: What stands there.
        wanted: What should stand there.
        fix: What to do when no known word is near.
        word: A word that may be a mistyped one of `choices`; empty when nothing was mistyped.
        choices: The words there are.
    """

    path: tuple[str, ...]
    found: str
    wanted: str
    fix: str
    word: str = ""
    choices: tuple[str, ...] = ()


def written_arguments(prior: Mapping[str, object]) -> dict[str, object]:
    """The arguments in a prior's mapping, of either spelling: beside the name, or under `kwargs`."""
    nested = prior.get("kwargs")
    written = nested if isinstance(nested, Mapping) else prior
    return {str(name): value for name, value in written.items() if name not in BESIDE_ARGUMENTS}


def prior_problems(prior: object) -> Iterator[PriorProblem]:
    """Everything that is wrong in a prior's mapping.

    Args:
        prior: What stands where a prior is wanted; `{distribution: name, argument: number or prior, …}` is right.
    """
    if not isinstance(prior, Mapping) or not ({"distribution", "dist"} & prior.keys()):
        wanted = "a mapping such as {distribution: HalfNormal, sigma: 1}"
        yield PriorProblem((), f"{prior!r:.80}", wanted, "write the prior so")
        return
    name = prior.get("distribution", prior.get("dist"))
    family = DISTRIBUTIONS.get(name) if isinstance(name, str) else None
    if family is None:
        fix = f"use one of {', '.join(DISTRIBUTIONS)}"
        wanted = "a distribution that is supported"
        yield PriorProblem((), f"distribution '{name!s:.40}'", wanted, fix, str(name), tuple(DISTRIBUTIONS))
        return
    if prior.get("transform") is not None:
        yield PriorProblem(("transform",), f"{prior['transform']!r:.40}", "no transform", "delete it")
    yield from _argument_problems(family, written_arguments(prior))


def _argument_problems(family: Distribution, written: Mapping[str, object]) -> Iterator[PriorProblem]:
    known = {argument.name for way in family.parametrisations for argument in way.arguments}
    unknown = [name for name in written if name not in known]
    for name in unknown:
        found = f"an unknown argument '{name:.40}'"
        yield PriorProblem(
            (name,), found, family.signature, "delete it", _usual_name(name, known), tuple(sorted(known))
        )
    names = frozenset(written) & known
    way = family.parametrisation(names)
    if way is None and not unknown:  # what is missing may be what is mistyped
        yield _no_parametrisation(family, names)
    ranges = {one.name: one for each in family.parametrisations[::-1] for one in each.arguments}
    ranges |= {one.name: one for one in way.arguments} if way else {}
    faulty = False
    for name in sorted(names):
        for problem in _value_problems(ranges[name], written[name]):
            faulty = True
            yield problem
    if way is not None and not faulty and not unknown:
        yield from _condition_problems(family, way, written)


def _usual_name(name: str, known: set[str]) -> str:
    """The name here of an argument that other packages call `name`; else the name itself."""
    return next((here for here in _SYNONYMS.get(name.lower(), ()) if here in known), name)


def _no_parametrisation(family: Distribution, names: frozenset[str]) -> PriorProblem:
    """Arguments that do not go together, or of which one is missing."""
    wider = [way for way in family.parametrisations if names <= way.names]
    listed = " and ".join(sorted(names)) or "no arguments"
    if not wider:
        return PriorProblem(
            (), f"{family.name} with {listed}", family.signature, "keep the arguments of one of them"
        )
    missing = " and ".join(one.name for one in wider[0].arguments if one.name in wider[0].required - names)
    alone = f"{listed} alone" if names else listed
    return PriorProblem((), f"{family.name} with {alone}", family.signature, f"add {missing}")


def _value_problems(argument: Argument, value: object) -> Iterator[PriorProblem]:
    path = (argument.name,)
    if isinstance(value, Mapping):
        if argument.fixed:
            yield PriorProblem(path, "a prior", argument.wanted, "write a number: a prior cannot stand here")
            return
        inner = list(prior_problems(value))
        yield from (
            PriorProblem((*path, *one.path), one.found, one.wanted, one.fix, one.word, one.choices)
            for one in inner
        )
        if not inner:
            yield from _support_problems(argument, value)
        return
    number = as_number(value)
    wanted = argument.wanted if argument.fixed else f"{argument.wanted}, or a prior"
    if number is None:
        yield PriorProblem(path, f"{value!r:.40}", wanted, "correct it")
    elif not math.isfinite(number):
        yield PriorProblem(path, f"{value!r:.40}", "a finite number", "correct it")
    elif not argument.low < number < argument.high:
        yield PriorProblem(path, f"{number:g}", wanted, "write such a value")


def _support_problems(argument: Argument, prior: Mapping[str, object]) -> Iterator[PriorProblem]:
    """A prior on an argument must not reach beyond the argument's range."""
    family = DISTRIBUTIONS[str(prior.get("distribution", prior.get("dist")))]
    numbers = {name: as_number(value) for name, value in written_arguments(prior).items()}
    low, high = family.bounds(numbers)
    if low < argument.low or high > argument.high:
        found = f"{family.name}, which reaches from {low:g} to {high:g}"
        wanted = f"a prior on {argument.wanted.replace('a number', 'numbers')}"
        yield PriorProblem((argument.name,), found, wanted, "choose another distribution")


def _condition_problems(
    family: Distribution, way: Parametrisation, written: Mapping[str, object]
) -> Iterator[PriorProblem]:
    numbers = {name: as_number(value) for name, value in written.items()}
    if way.condition is not None and not way.condition.holds(way.complete(numbers)):
        shown = ", ".join(
            f"{name} {number:g}" for name, number in sorted(numbers.items()) if number is not None
        )
        yield PriorProblem((), f"{family.name} with {shown}", way.condition.wanted, "correct one of them")


def as_number(value: object) -> float | None:
    """A number, also one written as text; None for everything else, true and false included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
