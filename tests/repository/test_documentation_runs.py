"""Every example in a docstring and every Python block and doctest in the documentation runs and says what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser
from sybil.python import import_path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted((ROOT / "regen_core").rglob("*.py"))

WITH_EXAMPLES = [
    path
    for path, beginning in [*[(path, "```py") for path in PAGES], *[(path, ">>>") for path in MODULES]]
    if beginning in path.read_text(encoding="utf-8")
]
"""What may hold one; a file without the first characters of any holds none."""

OF_PAGES = Sybil(parsers=[PythonCodeBlockParser()], path=str(ROOT))
OF_MODULES = Sybil(parsers=[DocTestParser()], document_types={".py": PythonDocStringDocument}, path=str(ROOT))


def run(path: Path) -> int:
    """Evaluate all examples of a file in order; how many there were."""
    is_module = path.suffix == ".py"
    document = (OF_MODULES if is_module else OF_PAGES).parse(path)
    if is_module:
        document.namespace.update(vars(import_path(path)))
    examples = list(document.examples())
    for example in examples:
        example.evaluate()
    return len(examples)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_run(path: Path) -> None:
    """What a reader copies works."""
    run(path)


def test_a_wrong_example_is_noticed(tmp_path: Path) -> None:
    """The control: an example that says something false fails."""
    page = tmp_path / "wrong.md"
    page.write_text("```python\n>>> 1 + 1\n3\n```\n", encoding="utf-8")
    with pytest.raises(Exception, match="did not evaluate as expected"):
        run(page)


def test_the_core_shows_how_it_is_used() -> None:
    """The modules that people call have examples."""
    names = ("regeneration", "decision_table", "store", "access")
    assert all(run(ROOT / "regen_core" / f"{name}.py") for name in names)
