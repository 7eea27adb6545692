"""The style of the report's page: light and dark, wide and narrow."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root { color-scheme: light dark; --good: #18794e; --bad: #c62a2f; --quiet: #63626b; --line: #8885; --soft: #8881; }
@media (prefers-color-scheme: dark) { :root { --good: #4cc38a; --bad: #ff8589; --quiet: #a09fa6; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; overflow-wrap: break-word; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
header { border-left: .35rem solid currentColor; padding: .1rem 0 .1rem 1rem; }
header p { margin: 0; } h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
.passed { color: var(--good); } .failed, .xpassed { color: var(--bad); font-weight: 600; }
.quiet, .skipped, .never, .xfailed { color: var(--quiet); font-weight: 400; }
code, pre, ol { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
ol code, pre code { font-size: 1em; }
ol { padding-left: 2.2rem; } ol li { margin: .15rem 0; }
pre { white-space: pre-wrap; background: var(--soft); padding: .6rem; }
details > summary { cursor: pointer; padding: .25rem 0; }
.failure { border: 1px solid var(--line); border-left: .25rem solid var(--bad); padding: .2rem .9rem; margin: .6rem 0; }
.failure p { margin: .4rem 0; } .found { background: var(--soft); padding: .4rem .6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } td:first-child { min-width: 9rem; }
.count { text-align: right; font-variant-numeric: tabular-nums; }
dl { margin: 0; } dl div { display: flex; gap: .4rem 1rem; border-bottom: 1px solid var(--line); padding: .25rem 0; }
dt { flex: 0 0 9rem; } dd { margin: 0; }
.rows { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .1rem 1.5rem; }
.rows > span { display: flex; justify-content: space-between; gap: .5rem; border-bottom: 1px solid var(--line); }
@media (max-width: 44rem) {
  .checks thead { display: none; }
  .checks tr { display: block; border-bottom: 1px solid var(--line); padding: .4rem 0; }
  .checks td { display: inline; border: 0; padding: 0 .6rem 0 0; } .checks td:last-child { display: block; padding: 0; }
  .checks .count:not(:empty)::after { content: " times"; } .checks .count.once::after { content: " time"; }
  dl div { flex-wrap: wrap; } dt { flex-basis: 100%; }
}
"""
"""Colours keep a contrast of 4.5 to 1 on either background; a row of a table becomes a paragraph where it is narrow."""
