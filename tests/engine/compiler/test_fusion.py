"""Loops: what is computed in one pass, what waits for another, what is kept in memory."""

from __future__ import annotations

from mmm_engine.compiler.fusion import schedule
from mmm_engine.compiler.graph import Expression, Graph
from tests.engine.compiler.harness import TRACED


def _graph() -> tuple[Graph, Expression, Expression]:
    graph = Graph()
    return graph, graph.input("x", ("rows", 3)), graph.input("y", (3,))


def test_one_pass_computes_a_sum_of_elements() -> None:
    """sum(2 exp(x)) is one nest of loops, which keeps nothing but the sum."""
    graph, x, _ = _graph()
    total = (TRACED.exp(x) * 2.0).sum()
    plan = schedule([total])
    assert [nest.sizes for nest in plan.nests] == [(3, "rows")]
    assert plan.stored == {total.number}
    stored = schedule([graph.store(total, "value", 0, ())])
    assert [nest.sizes for nest in stored.nests] == [(3, "rows"), ()]
    assert stored.stored == {total.number}


def test_what_a_later_pass_needs_is_kept() -> None:
    """exp(x) / sum(exp(x)) goes over x twice; the sum is kept, and exp(x), which both passes read."""
    graph = Graph()
    x = graph.input("x", ("rows",))
    grown = TRACED.exp(x)
    total = grown.sum()
    plan = schedule([graph.store(grown / total, "gradient", 0, ("rows",))])
    loops = [nest for nest in plan.nests if nest.sizes]
    assert len(loops) == 2
    assert {total.number, grown.number} <= plan.stored


def test_sums_over_the_same_elements_share_their_loops() -> None:
    """Two sums and what they have in common are one pass over the elements."""
    _, x, y = _graph()
    grown = TRACED.exp(x * y)
    one, two = grown.sum(axis=0), (grown * grown).sum()
    plan = schedule([one, two])
    assert [nest.sizes for nest in plan.nests] == [(3, "rows")]
    assert plan.stored == {one.number, two.number}
