"""Which mutants no test notices: each is tried in a process of its own, until the first test fails.

A pytest session collects the tests once; then a process is forked per mutant, changes the code of the mutant's
functions and runs the tests. What a table or a default says is made on import: for such mutants the fork happens
before anything of the core is loaded, and the session is within it. The test that noticed the last mutant is asked
first about the next one.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings

from tests.mutants.mutant import Mutant
from tests.mutants.swapping import ImportsMutant, live_functions, swap

__all__ = ["survivors"]

KILLED, SURVIVED, UNKNOWN = 1, 0, 77
MEMORY = 4 * 1024**3
LONGEST = 30.0
"""Seconds of a processor, however busy it is, after which a mutant that never ends is told from the original."""

OWN = ("conftest", "pytest_regen_core", "regen_core", "tests")
"""Modules that each process imports for itself: they are, or hold, what is changed."""

Answer = tuple[int, str]
"""What a child says: a verdict, and the test that noticed."""

OPTIONS = (
    *("-q", "--no-header", "--no-summary", "--assert=plain"),  # nobody reads why a test failed
    *("-p", "no:cacheprovider", "-p", "no:unraisableexception"),
)

settings.register_profile(
    "mutants",
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
"""The same examples for each mutant, none made smaller: that a test fails is all that is asked."""


class _Session:
    """A plugin that takes over the loop of a pytest session once all is collected."""

    def __init__(self, loop: Callable[[pytest.Session], None]) -> None:
        self._loop = loop

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._loop(session)
        return True


def _pytest(paths: Sequence[str], loop: Callable[[pytest.Session], None]) -> int:
    return int(pytest.main([*OPTIONS, *paths], plugins=[_Session(loop)]))


def _asked(items: Sequence[pytest.Item], first: str) -> Answer:
    """Run the tests until one fails; the one that is named ``first`` before all others."""
    ordered = sorted(items, key=lambda item: item.nodeid != first)
    for item, after in zip(ordered, [*ordered[1:], None], strict=True):
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=after)):
            return KILLED, item.nodeid
    return SURVIVED, ""


def _forked(work: Callable[[], Answer], limit: float) -> Answer:
    """What a child answers, ended after ``limit`` seconds of a processor; negative where a signal ended it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = KILLED
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.setitimer(signal.ITIMER_PROF, limit)
            code, said = work()
            os.write(writing, said.encode())
        except BaseException:  # noqa: BLE001  # a child ends here, whatever happened
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def survivors(paths: Sequence[str], mutants: Sequence[Mutant], say: Callable[[Mutant], None]) -> list[Mutant]:
    """The mutants that no test at these paths notices; ``say`` hears of each when it is found.

    Raises ``RuntimeError`` where the tests fail while nothing is changed.
    """
    _load_what_is_not_changed(paths)
    within = [mutant for mutant in mutants if mutant.places]
    alive: list[Mutant] = []
    verdicts = dict(zip(within, _swapped(paths, within), strict=True)) if within else {}
    first = ""
    for mutant in mutants:
        if verdicts.get(mutant, UNKNOWN) in (SURVIVED, UNKNOWN):
            verdict, noticed = _imported(paths, mutant, first)
            first = noticed or first
            if verdict == SURVIVED:
                alive.append(mutant)
                say(mutant)
    return alive


def _load_what_is_not_changed(paths: Sequence[str]) -> None:
    """Import what a session needs and is not this project's, so that no process has to do it again."""
    needed: list[str] = []

    def work() -> Answer:
        _pytest(paths, lambda _: needed.extend(sys.modules))
        return SURVIVED, "\n".join(name for name in needed if name.partition(".")[0] not in OWN)

    for name in _forked(work, LONGEST)[1].splitlines():
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112  # a name that only its own loader knows; who needs it loads it again
            continue


def _swapped(paths: Sequence[str], mutants: Sequence[Mutant]) -> list[int]:
    """Judge mutants of functions within one session, after the unchanged functions have passed."""
    with tempfile.NamedTemporaryFile(suffix=".verdicts") as file:

        def loop(session: pytest.Session) -> None:
            live = live_functions()
            if _forked(lambda: _asked(session.items, ""), 600)[0] != SURVIVED:
                return
            limit, first = min(LONGEST, 5 + 5 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime), ""
            for mutant in mutants:

                def work(mutant: Mutant = mutant, first: str = first) -> Answer:
                    return _asked(session.items, first) if swap(mutant, live) else (UNKNOWN, "")

                verdict, noticed = _forked(work, limit)
                first = noticed or first
                with Path(file.name).open("a", encoding="utf-8") as verdicts:
                    verdicts.write(f"{verdict}\n")

        _forked(lambda: (_pytest(paths, loop), ""), 86_400)
        found = [int(line) for line in Path(file.name).read_text(encoding="utf-8").split()]
    if len(found) != len(mutants):
        raise RuntimeError(f"judged {len(found)} of {len(mutants)}: do these pass unchanged? pytest {' '.join(paths)}")
    return found


def _imported(paths: Sequence[str], mutant: Mutant, first: str) -> Answer:
    """Judge one mutant in a session of its own, which imports it."""
    answer: list[Answer] = []

    def work() -> Answer:
        ImportsMutant(mutant).install()

        def loop(session: pytest.Session) -> None:
            if session.items and not session.testsfailed:
                answer.append(_asked(session.items, first))

        _pytest(paths, loop)
        return answer[0] if answer else (KILLED, "")

    return _forked(work, LONGEST)
