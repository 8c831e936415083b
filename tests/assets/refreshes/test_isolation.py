"""A client that kills its process, hangs or runs out of memory costs the others nothing."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mmm_assets.refreshes import isolation
from mmm_assets.refreshes.isolation import each_in_child
from mmm_assets.refreshes.locks import is_alive, process_identity

TASK = "tests.assets.refreshes.child_tasks:behave"


@pytest.fixture
def run():
    """Do items with the behaving task; what ended and what was said."""

    def do(*items, seconds=60.0, **options):
        said = []
        return list(each_in_child(TASK, items, options, seconds=seconds, say=said.append)), said

    return do


def test_one_child_does_all_items_in_order_and_prints_do_no_harm(run):
    """Two items, one process id, and stdout of the task is not taken for an answer."""
    ended, said = run("pid1", "pid2")
    assert [(e.item, e.failures, e.died) for e in ended] == [("pid1", (), False), ("pid2", (), False)]
    assert said[0::2] == ["begin pid1", "begin pid2"]
    assert said[1] == said[3] != str(os.getpid())


def test_failures_are_handed_back_and_the_child_goes_on(run):
    """A list of failures, an exception, memory that is refused: the same child does the next item."""
    ended, said = run("pid1", "fail", "raise", "memory", "pid2")
    assert [e.failures[:1] for e in ended] == [
        (),
        ("rows are wrong",),
        ("ValueError: no",),
        ("MemoryError: ",),
        (),
    ]
    assert not any(e.died for e in ended)
    assert said[1] == said[-1]


@pytest.mark.parametrize(
    ("item", "reason"),
    [("kill", "memory runs out"), ("crash", "Segmentation fault"), ("exit", "exit code 3")],
)
def test_a_dead_child_costs_its_own_item_only(run, item, reason):
    """The items before and after are done, the culprit says how its process ended."""
    ended, _ = run("a", item, "b", "c")
    assert [(e.item, e.died) for e in ended] == [("a", False), (item, True), ("b", False), ("c", False)]
    assert reason in ended[1].failures[0]


def test_an_item_that_hangs_is_given_up(run):
    """After its time the child is killed; the next item gets a fresh one."""
    began = time.monotonic()
    ended, _ = run("hang", "b", seconds=4.0)
    assert (ended[0].failures, ended[0].died) == (("given up after 4 s",), True)
    assert not ended[1].failures
    assert time.monotonic() - began < 60


@pytest.fixture
def interrupted():
    """Interrupts the parent as soon as its child says a word; how long that took, and the process id of the child."""

    def do(item, word):
        said = []

        def interrupt(text):
            said.append(text)
            if text == word:
                raise KeyboardInterrupt

        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            list(each_in_child(TASK, ["pid", item], {}, seconds=60.0, say=interrupt))
        return time.monotonic() - began, int(said[1])

    return do


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN], ids=["shell", "background"])
def test_an_interrupt_ends_the_child(interrupted, handler):
    """Ctrl-C, or the UI's terminate button, while an item is under way; also below a shell that is not interactive.

    Such a shell starts what stands before an `&` with interrupts ignored, and children inherit that.
    """
    before = signal.signal(signal.SIGINT, handler)
    try:
        seconds, child = interrupted("hang", "begin hang")
    finally:
        signal.signal(signal.SIGINT, before)
    assert not os.path.exists(f"/proc/{child}")
    assert seconds < isolation.GRACE_SECONDS


def test_a_child_that_does_not_hear_the_interrupt_is_killed(interrupted, monkeypatch):
    """After the grace period."""
    monkeypatch.setattr(isolation, "GRACE_SECONDS", 0.5)
    _, child = interrupted("deaf", "deaf")
    assert not os.path.exists(f"/proc/{child}")


def test_a_child_does_not_outlive_a_killed_parent(tmp_path):
    """Kill -9 of the batch: its fit does not go on unseen, so that the batch can be run again."""
    code = (
        "import sys\n"
        "from mmm_assets.refreshes.isolation import each_in_child\n"
        f"list(each_in_child('{TASK}', ['pid', 'hang'], {{}}, seconds=60.0,\n"
        "                   say=lambda text: print(text, flush=True)))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        lines = [parent.stdout.readline().strip() for _ in range(3)]  # begin pid, its number, begin hang
        child = process_identity(int(lines[1]))
        assert is_alive(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)
