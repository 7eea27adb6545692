"""Generated parts of the documentation say what the code says, and the project speaks of itself only."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN_TEXTS = sorted(
    path
    for pattern in ("regen_core/**/*.py", "tests/**/*.py", "benchmarks/**/*.py", "docs/**/*", "*.md", "*.toml")
    for path in ROOT.glob(pattern)
    if path.is_file() and path.suffix in {".py", ".md", ".toml", ".sh", ".json", ".ndjson"}
)

FOREIGN = re.compile(r"(?:\.\./|\b)shared/|SEMANTICS\.md|/work/|/root/|/tmp/bash|\bTODO\b|\bFIXME\b")
"""Paths of a machine, working papers, and promises instead of work."""


def test_generated_documentation_is_up_to_date() -> None:
    """Tables are rendered from the data; to renew them: ``python docs/generate.py``."""
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_text_is_the_projects_own() -> None:
    """No machine's paths and no working papers in what people read."""
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in OWN_TEXTS}
    del texts[str(Path(__file__).relative_to(ROOT))]
    found = {name: FOREIGN.findall(text) for name, text in texts.items()}
    assert not {name: words for name, words in found.items() if words}


def test_the_first_two_commands_of_the_readme_run_the_job_and_the_tests() -> None:
    """A newcomer copies two blocks: one runs the main job on the examples, one runs the tests."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert "docs/examples/story.sh" in blocks[0]
    assert "pytest" in blocks[1]
