"""The entry point ``regen``: finds the command, and turns the world's faults into sentences and exit codes.

Commands are imported when they are asked for, so that a table doesn't wait for a database driver.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

import click

from regen_core.adapters.cli.faults import WORLD, ExitCode, sentence
from regen_core.adapters.cli.output import JsonOutput
from regen_core.adapters.cli.settings import refuse_contradictions, settings_of, shared_options

__all__ = ["cli", "main"]

_COMMANDS: Final = {
    "load": ("loading", "Load documents from files into the database."),
    "plan": ("regenerating", "Say what a request would write and send, and why."),
    "run": ("regenerating", "Regenerate one document's transactions; print the idList."),
    "show": ("showing", "Show documents, transactions, deliveries, revenue or runs."),
    "migrate": ("migrating", "Regenerate all documents, in a run that can be resumed."),
    "deliver": ("delivering", "Deliver the outbox to the ledger, a file or an address."),
    "reconcile": ("reconcile", "Compare Billing with Revenue for a period; name each variance."),
    "serve": ("serving", "Answer the operation over HTTP; a sandbox or a service."),
    "hash-secret": ("serving", "Hash a client's secret for the service's configuration."),
    "conformance": ("conforming", "Check a store or a service against the rules; write a report."),
    "replay": ("replaying", "Perform a failing history of a conformance report again."),
    "table": ("asking", "Print decision tables, refusals, fields or rules."),
    "explain": ("asking", "Explain a rule, or a case, without a database."),
}
"""Every command, the module that has it, and what it does, in the order in which they are used."""


class _Regen(click.Group):
    """A group that imports its commands on demand and ends with the exit codes that scripts rely on."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command; what says two things at once is wrong usage."""
        refuse_contradictions(self, ctx, args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """In the order in which they are used."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now; ``None`` for an unknown one."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"regen_core.adapters.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; an unknown one is told with what was probably meant."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            near = ["--help"] if name == "help" else get_close_matches(name.lower(), _COMMANDS, n=1)
            meant = f"Did you mean {near[0]!r}?" if near else f"Commands are {', '.join(_COMMANDS)}."
            message = f"No such command {name!r}. {meant}"
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in the help, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in _COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command and exit with its code; with ``standalone_mode=False`` return the code instead."""
        is_standalone = extra.pop("standalone_mode", True)
        given = list(sys.argv[1:] if args is None else args)
        code = self._guarded(given, rest, extra)
        if is_standalone:
            sys.exit(code)
        return code

    def _guarded(self, given: Sequence[str], rest: tuple[Any, ...], extra: dict[str, Any]) -> int:
        try:
            code = super().main(list(given), *rest, standalone_mode=False, **extra)  # type: ignore[call-overload]  # as given
            sys.stdout.flush()
        except click.UsageError as fault:
            fault.show()
            if "--json" in given:
                _print_failure(fault.format_message(), ExitCode.WRONG_USAGE)
            return ExitCode.WRONG_USAGE
        except (SystemExit, BrokenPipeError):  # click exits so when nobody reads its help
            _let_go_of_stdout()
            return ExitCode.ENVIRONMENT_FAILED
        except OSError as fault:  # no command has begun: it was the help, or the version
            click.echo(f"regen: {sentence(fault)}", err=True)
            _let_go_of_stdout()
            return ExitCode.ENVIRONMENT_FAILED
        except (KeyboardInterrupt, click.Abort):  # click's name for Ctrl-C while a command is imported or its line read
            text = sentence(KeyboardInterrupt())
            click.echo(f"regen: {text}", err=True)
            if "--json" in given:
                _print_failure(text, ExitCode.ENVIRONMENT_FAILED)
            return ExitCode.ENVIRONMENT_FAILED
        return int(code or ExitCode.DONE)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; all that it printed has left when this returns, so that a full disk is noticed here."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _let_go_of_stdout()
            return ExitCode.ENVIRONMENT_FAILED
        except WORLD as fault:
            return _failed(ctx, fault)
        return code


def _failed(ctx: click.Context, fault: BaseException) -> ExitCode:
    """Say what happened, to people on standard error and, where JSON was asked for, to a program."""
    text = sentence(fault)
    click.echo(f"regen: {text}", err=True)
    try:
        settings_of(ctx).output.fail(_failure(text, ExitCode.ENVIRONMENT_FAILED))
        sys.stdout.flush()
    except OSError:
        _let_go_of_stdout()
    return ExitCode.ENVIRONMENT_FAILED


def _failure(text: str, code: ExitCode) -> dict[str, Any]:
    return {"success": False, "exit_code": int(code), "error": text}


def _print_failure(text: str, code: ExitCode) -> None:
    JsonOutput(sys.stdout).fail(_failure(text, code))


def _let_go_of_stdout() -> None:
    """Nobody can be told there any more: what is still buffered goes nowhere, or Python would complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # stays open to the end, which is next
    finally:
        os.close(nowhere)


_HELP: Final = """Regenerate billing transactions: plan it, do it, and see for every line what happened and why.

Load documents in the JSON of Zuora's REST API, plan what a request would write and send, run it, and deliver the outbox
to Revenue. The options below may stand before or after the command.

\b
First steps:
  regen load invoices.json
  regen plan --type Invoice --number INV00000104
  regen run --type Invoice --number INV00000104
  regen deliver --to ledger
  regen COMMAND --help

Exit status: 0 done; 1 refused, all or in part, or a comparison found differences; 2 wrong usage; 3 the environment
failed.

\b
Completion of commands and options in the shell:
  bash  eval "$(_REGEN_COMPLETE=bash_source regen)"
  zsh   eval "$(_REGEN_COMPLETE=zsh_source regen)"
  fish  _REGEN_COMPLETE=fish_source regen | source
"""

cli = _Regen(
    name="regen",
    help=_HELP,
    params=[*shared_options()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
cli = click.version_option(version("regen-core"), prog_name="regen", message="%(prog)s %(version)s")(cli)


def _hold_standard_streams() -> None:
    """Where a standard stream was closed, nothing is read or told there, and no file of ours gets its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        name = ("stdin", "stdout", "stderr")[number]
        setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    os.close(number)


def main() -> None:
    """Run the command line and exit."""
    _hold_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="regen")
