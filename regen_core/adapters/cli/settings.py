"""The options that every command has, before it or after it: which database, whose documents, and how to print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import click
from attrs import frozen

from regen_core.access import Scope
from regen_core.adapters.cli.choices import faultless
from regen_core.adapters.cli.output import Output, output_for
from regen_core.documents import name_fault

__all__ = [
    "DEFAULT_DB",
    "RegenCommand",
    "Settings",
    "given_options",
    "refuse_contradictions",
    "settings_of",
    "shared_options",
]

DEFAULT_DB: Final = "sqlite:///regen.db"
DEFAULT_NAME: Final = "default"
"""Tenant and entity of somebody who has only one."""

_META: Final = "regen_core.adapters.cli"


@frozen(kw_only=True)
class Settings:
    """What the shared options say, defaults applied.

    Fields: ``orgs`` empty means every organisation; ``output`` is where the result goes.
    """

    db: str
    tenant: str
    entity: str
    orgs: tuple[str, ...]
    as_json: bool
    output: Output

    @property
    def scope(self) -> Scope:
        """What may be seen: a local operator without ``--org`` sees every organisation (ACC-4)."""
        orgs = frozenset(self.orgs) if self.orgs else None
        return Scope(tenant=self.tenant, entity=self.entity, orgs=orgs, requested_orgs=orgs)


def _remembered(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def remember(ctx: click.Context, _: click.Parameter, value: Any) -> Any:
        if value not in (None, False, ()):
            ctx.meta.setdefault(_META, {})[name] = value
        return value

    return remember


def _database(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """An empty one is most likely a variable that isn't set, and the default another database than was meant."""
    checked = faultless(lambda url: None if url.strip() else "is empty. Name a database, or leave it out.")
    remembered: str | None = _remembered("db")(ctx, parameter, checked(ctx, parameter, value))
    return remembered


def _named(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    remember, check = _remembered(name), faultless(name_fault)
    return lambda ctx, parameter, value: remember(ctx, parameter, check(ctx, parameter, value))


def shared_options() -> list[click.Parameter]:
    """The options, anew for each command that they are added to."""
    return [
        click.Option(
            ["--db"],
            metavar="URL",
            expose_value=False,
            callback=_database,
            help=f"Database: sqlite:///FILE, or postgresql://USER@HOST/NAME.  [env: REGEN_DB; default: {DEFAULT_DB}]",
        ),
        click.Option(
            ["--tenant"],
            expose_value=False,
            callback=_named("tenant"),
            help=f"Tenant of the documents.  [default: {DEFAULT_NAME}]",
        ),
        click.Option(
            ["--entity"],
            expose_value=False,
            callback=_named("entity"),
            help=f"Entity of the documents.  [default: {DEFAULT_NAME}]",
        ),
        click.Option(
            ["--org", "orgs"],
            multiple=True,
            expose_value=False,
            callback=_named("orgs"),
            help="Organisation to see; repeatable. With load: of documents that name none.  [default: all; load: none]",
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            expose_value=False,
            callback=_remembered("as_json"),
            help="Print JSON for programs.",
        ),
    ]


class RegenCommand(click.Command):
    """A command that takes the shared options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(shared_options())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options, then those that every command has."""
        shared = {each.name for each in shared_options()}
        for title, is_shared in (("Options", False), ("Options of every command, after it or before it", True)):
            options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
            told = [each.get_help_record(ctx) for each in options if (each.name in shared) is is_shared]
            with formatter.section(title):
                formatter.write_dl([each for each in told if each is not None])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line; what says two things at once is wrong usage."""
        refuse_contradictions(self, ctx, args)
        return super().parse_args(ctx, args)


def refuse_contradictions(command: click.Command, ctx: click.Context, args: Sequence[str]) -> None:
    """Raise ``click.UsageError`` where an option comes twice or with its opposite: click would take the last one."""
    if ctx.resilient_parsing:
        return
    _, _, given = command.make_parser(ctx).parse_args(list(args))
    seen: dict[str | None, click.Option] = {}
    for option in given:
        if not isinstance(option, click.Option) or option.multiple or option.count:
            continue
        before = seen.get(option.name)
        if before is not None and before is not option:
            raise click.UsageError(f"{before.opts[0]} and {option.opts[0]} exclude each other: give one of them.", ctx)
        if before is not None and (not option.is_flag or option.secondary_opts):
            names = "/".join([*option.opts, *option.secondary_opts])
            raise click.UsageError(f"{names} is given more than once: give it once.", ctx)
        seen[option.name] = option


def given_options(ctx: click.Context) -> frozenset[str]:
    """The shared options that were given, by their parameters' names."""
    return frozenset(ctx.meta.get(_META, {})) - {"output"}


def settings_of(ctx: click.Context) -> Settings:
    """The shared options as given before or after the command; what stands after it wins."""
    given: dict[str, Any] = ctx.meta.setdefault(_META, {})
    if "output" not in given:
        given["output"] = output_for(sys.stdout, as_json=given.get("as_json", False))
    return Settings(
        db=given.get("db") or os.environ.get("REGEN_DB") or DEFAULT_DB,
        tenant=given.get("tenant", DEFAULT_NAME),
        entity=given.get("entity", DEFAULT_NAME),
        orgs=given.get("orgs", ()),
        as_json=given.get("as_json", False),
        output=given["output"],
    )
