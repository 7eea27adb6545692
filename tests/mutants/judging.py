"""Which mutants no test notices: each is tried in a process of its own, until the first test fails.

A pytest session collects the tests once; then a process is forked per mutant, changes the code of the mutant's
functions and runs the tests. What a table or a default says is made on import: for such mutants the fork happens
before anything of the core is loaded, and the session is within it.
"""

from __future__ import annotations

import os
import resource
import signal
import tempfile
import time
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
LONGEST = 120.0
"""Seconds after which a mutant that never ends is told from the original."""

REWRITTEN = "ignore::pytest.PytestAssertRewriteWarning"
"""Hypothesis is loaded before a session starts, so that no process has to load it again."""

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
    options = ["-q", "-p", "no:cacheprovider", "--no-header", "--no-summary", "-W", REWRITTEN]
    return int(pytest.main([*options, *paths], plugins=[_Session(loop)]))


def _all_pass(items: Sequence[pytest.Item]) -> bool:
    following = [*items[1:], None]
    return not any(
        report.failed
        for item, after in zip(items, following, strict=True)
        for report in runtestprotocol(item, log=False, nextitem=after)
    )


def _forked(work: Callable[[], int], limit: float) -> int:
    """What a child answers, ended after ``limit`` seconds; negative where a signal ended it."""
    child = os.fork()
    if child == 0:
        answer = KILLED
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.setitimer(signal.ITIMER_REAL, limit)
            answer = work()
        except BaseException:  # noqa: BLE001  # a child ends here, whatever happened
            traceback.print_exc()
        finally:
            os._exit(answer)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def survivors(paths: Sequence[str], mutants: Sequence[Mutant], say: Callable[[Mutant], None]) -> list[Mutant]:
    """The mutants that no test at these paths notices; ``say`` hears of each when it is found.

    Raises ``RuntimeError`` where the tests fail while nothing is changed.
    """
    within = [mutant for mutant in mutants if mutant.places]
    alive: list[Mutant] = []
    verdicts = dict(zip(within, _swapped(paths, within), strict=True)) if within else {}
    for mutant in mutants:
        if verdicts.get(mutant, UNKNOWN) in (SURVIVED, UNKNOWN) and _imported(paths, mutant) == SURVIVED:
            alive.append(mutant)
            say(mutant)
    return alive


def _swapped(paths: Sequence[str], mutants: Sequence[Mutant]) -> list[int]:
    """Judge mutants of functions within one session, after the unchanged functions have passed."""
    with tempfile.NamedTemporaryFile(suffix=".verdicts") as file:

        def loop(session: pytest.Session) -> None:
            live = live_functions()
            started = time.monotonic()
            if _forked(lambda: SURVIVED if _all_pass(session.items) else KILLED, 600) != SURVIVED:
                return
            limit = min(LONGEST, 20 + 10 * (time.monotonic() - started))
            for mutant in mutants:

                def work(mutant: Mutant = mutant) -> int:
                    if not swap(mutant, live):
                        return UNKNOWN
                    return SURVIVED if _all_pass(session.items) else KILLED

                answer = _forked(work, limit)
                with Path(file.name).open("a", encoding="utf-8") as verdicts:
                    verdicts.write(f"{answer}\n")

        _forked(lambda: _pytest(paths, loop), 86_400)
        found = [int(line) for line in Path(file.name).read_text(encoding="utf-8").split()]
    if len(found) != len(mutants):
        raise RuntimeError(f"judged {len(found)} of {len(mutants)}: do these pass unchanged? pytest {' '.join(paths)}")
    return found


def _imported(paths: Sequence[str], mutant: Mutant) -> int:
    """Judge one mutant in a session of its own, which imports it."""
    verdict = [KILLED]

    def work() -> int:
        ImportsMutant(mutant).install()

        def loop(session: pytest.Session) -> None:
            if session.items and not session.testsfailed and _all_pass(session.items):
                verdict[0] = SURVIVED

        _pytest(paths, loop)
        return verdict[0]

    return _forked(work, LONGEST)
