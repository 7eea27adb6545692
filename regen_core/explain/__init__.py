"""Why a regeneration does what it does, and every decision table, as values and as text, Markdown, HTML, SVG and JSON.

The names below are what others use of it. Nothing here decides: rules are read from the tables and the register.
"""

from regen_core.explain.as_json import explanation_as_json, refusal_as_json, rule_as_json
from regen_core.explain.blocks import Block, Cell, Line, Table, Tone
from regen_core.explain.cases import Case, explain_case
from regen_core.explain.refused import ExplainedRefusal, explain_refusal
from regen_core.explain.regenerations import (
    ExplainedLine,
    ExplainedMapping,
    Explanation,
    SkippedItem,
    drift_of,
    explain,
    explain_mapping,
)
from regen_core.explain.rendering import FORMATS, as_json, blocks_as_text
from regen_core.explain.sentences import described, refused, rule_lines, summarised
from regen_core.explain.tables import DECIDING, TABLES, table

__all__ = [
    "Block",
    "Case",
    "Cell",
    "DECIDING",
    "ExplainedLine",
    "ExplainedMapping",
    "ExplainedRefusal",
    "Explanation",
    "FORMATS",
    "Line",
    "SkippedItem",
    "TABLES",
    "Table",
    "Tone",
    "as_json",
    "blocks_as_text",
    "described",
    "drift_of",
    "explain",
    "explain_case",
    "explain_mapping",
    "explain_refusal",
    "explanation_as_json",
    "refusal_as_json",
    "refused",
    "rule_as_json",
    "rule_lines",
    "summarised",
    "table",
]
