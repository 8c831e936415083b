"""Linear algebra in one thread: for small matrices, threads that wait for each other cost more than they bring.

Here: `one_thread`, for functions that call linear algebra many times.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread[**Arguments, Result](function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The same function, in which BLAS works in one thread; it is a third as dear on two busy cores."""

    @wraps(function)
    def limited(*args: Arguments.args, **options: Arguments.kwargs) -> Result:
        with _controller().limit(limits=1):
            return function(*args, **options)

    return limited
