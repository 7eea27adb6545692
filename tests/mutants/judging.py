"""Which tests notice a mutant: each in a process of its own, cheap tests first, until one fails.

A pytest session collects the tests once; then a process is forked per mutant, changes the code of the mutant's
functions and runs the tests that execute them. What a table or a default says is made on import: for such mutants
the fork happens before anything of the core is loaded, and the session is within it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from attrs import field, frozen
from hypothesis import HealthCheck, Phase, settings

from tests.mutants.mutant import CORE, Mutant, Place
from tests.mutants.swapping import ImportsMutant, live_functions, swap

__all__ = ["Survey", "judge_imported", "judge_swapped", "survey"]

KILLED, SURVIVED, NOT_SWAPPED = 1, 0, 77
MEMORY = 4 * 1024**3
REWRITTEN = "ignore::pytest.PytestAssertRewriteWarning"
"""Hypothesis is loaded before a session starts, so that no process has to load it again."""

settings.register_profile(
    "mutants",
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
"""The same examples for each mutant, none made smaller: that a test fails is all that is asked."""


@frozen
class Survey:
    """What the tests do while nothing is changed.

    Fields: ``tests`` by node id the seconds that a test takes and the functions that it executes, as
    ``module:name:line``; ``on_import`` the functions that importing the core and the tests executes.
    """

    tests: dict[str, tuple[float, frozenset[str]]]
    on_import: frozenset[str] = field(default=frozenset())

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that can notice a mutant, cheapest first."""
        names = {_name(mutant.module, place) for place in mutant.places}
        prefix = f"{mutant.module}:"

        def touches(executed: frozenset[str]) -> bool:
            return bool(names & executed) if names else any(each.startswith(prefix) for each in executed)

        found = [(seconds, test) for test, (seconds, executed) in self.tests.items() if touches(executed)]
        everything = [(seconds, test) for test, (seconds, _) in self.tests.items()]
        return [test for _, test in sorted(found or everything)]

    def seconds(self, tests: Iterable[str]) -> float:
        """How long the tests take."""
        return sum(self.tests[test][0] for test in tests)


def _name(module: str, place: Place) -> str:
    return f"{module}:{place[0]}:{place[1]}"


class _Session:
    """A plugin that takes over the loop of a pytest session once all is collected."""

    def __init__(self, loop: Callable[[pytest.Session], None], noting: set[str] | None = None) -> None:
        self._loop, self._noting = loop, noting

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        settings.load_profile("mutants")
        if self._noting is not None:
            sys.setprofile(_noter(self._noting))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.setprofile(None)
        self._loop(session)
        return True


def _noter(into: set[str]) -> Callable[[types.FrameType, str, object], None]:
    folder = f"{CORE}{os.sep}"
    names: dict[types.CodeType, str | None] = {}

    def note(frame: types.FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code not in names:
            path = code.co_filename
            inside = path.startswith(folder) and os.sep not in path[len(folder) :]
            outer = (code.co_qualname.split(".<locals>")[0], code.co_firstlineno)
            names[code] = _name(Path(path).stem, outer) if inside else None
        name = names[code]
        if name is not None:
            into.add(name)

    return note


def _pytest(paths: Sequence[str], plugin: object) -> int:
    options = ["-q", "-p", "no:cacheprovider", "--no-header", "--no-summary", "-W", REWRITTEN]
    return int(pytest.main([*options, *paths], plugins=[plugin]))


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


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


def survey(paths: Sequence[str]) -> Survey:
    """Run all tests once, in a process of its own; raises ``RuntimeError`` where one fails."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:

        def work() -> int:
            on_import: set[str] = set()
            found: dict[str, tuple[float, list[str]]] = {}
            failed: list[str] = []

            def loop(session: pytest.Session) -> None:
                for item, following in zip(session.items, [*session.items[1:], None], strict=True):
                    executed: set[str] = set()
                    started = time.perf_counter()
                    sys.setprofile(_noter(executed))
                    passed = _passes(item, following)
                    sys.setprofile(None)
                    if not passed:
                        failed.append(item.nodeid)
                    found[item.nodeid] = time.perf_counter() - started, sorted(executed)

            _pytest(paths, _Session(loop, on_import))
            told = json.dumps({"tests": found, "on_import": sorted(on_import), "failed": failed})
            Path(file.name).write_text(told, encoding="utf-8")
            return 0

        if _forked(work, 1200) != 0:
            raise RuntimeError("the survey of the unchanged tests did not end; run them with pytest to see why")
        told = json.loads(Path(file.name).read_text(encoding="utf-8"))
    if told["failed"]:
        raise RuntimeError(f"tests fail while nothing is changed: {told['failed']}")
    tests = {test: (seconds, frozenset(executed)) for test, (seconds, executed) in told["tests"].items()}
    return Survey(tests, frozenset(told["on_import"]))


def _limit(seconds: float) -> float:
    return 10 * seconds + 20


def judge_swapped(paths: Sequence[str], mutants: Sequence[Mutant], known: Survey) -> list[int]:
    """Judge mutants of functions within one session: by mutant 0 survived, 77 not swapped, all else killed."""
    with tempfile.NamedTemporaryFile(suffix=".verdicts") as file:

        def loop(session: pytest.Session) -> None:
            items, live = {item.nodeid: item for item in session.items}, live_functions()
            for mutant in mutants:
                tests = [items[test] for test in known.of(mutant)]

                def work(mutant: Mutant = mutant, tests: list[pytest.Item] = tests) -> int:
                    if not swap(mutant, live):
                        return NOT_SWAPPED
                    return SURVIVED if all(_passes(test, None) for test in tests) else KILLED

                answer = _forked(work, _limit(known.seconds(test.nodeid for test in tests)))
                with Path(file.name).open("a", encoding="utf-8") as verdicts:
                    verdicts.write(f"{answer}\n")

        _forked(lambda: _pytest(paths, _Session(loop)), 86_400)
        verdicts = [int(line) for line in Path(file.name).read_text(encoding="utf-8").split()]
    if len(verdicts) != len(mutants):
        raise RuntimeError(
            f"{len(verdicts)} of {len(mutants)} mutants were judged; run the tests with pytest to see why"
        )
    return verdicts


def judge_imported(paths: Sequence[str], mutant: Mutant, known: Survey) -> int:
    """Judge one mutant in a session of its own, which imports it; 0 survived."""
    tests = known.of(mutant)
    verdict = [KILLED]

    def work() -> int:
        ImportsMutant(mutant).install()

        def loop(session: pytest.Session) -> None:
            items = {item.nodeid: item for item in session.items}
            if all(test in items and _passes(items[test], None) for test in tests):
                verdict[0] = SURVIVED

        _pytest(paths, _Session(loop))
        return verdict[0]

    return _forked(work, _limit(known.seconds(tests)) + 20)
