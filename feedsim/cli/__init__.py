"""The command line. Commands are thin; each imports what it needs only when it runs.

Exit codes: 0 done, 1 the work failed, 2 what was asked for cannot be done. Errors are one line on stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from feedsim.cli.data import generate, verify
from feedsim.cli.export import export
from feedsim.cli.feed import record, stream
from feedsim.cli.judge import calibrate, realism
from feedsim.cli.latency import latency
from feedsim.cli.look import inspect, sources
from feedsim.cli.machine import bench, doctor
from feedsim.cli.report import report
from feedsim.cli.serve import serve
from feedsim.errors import FeedsimError


def _usage_errors() -> Any:
    """What typer raises for a command line that it cannot read: the class has no public name in all its versions."""
    return next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


class _Commands(TyperGroup):
    """Commands that end quietly when whoever reads their output has gone."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override] # typer.Context is what it gets
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Nothing may be written any more, not even what the interpreter would flush at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None


app = typer.Typer(
    name="feedsim",
    cls=_Commands,
    help="A fake futures market that a live trading bot plugs into.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = (
    *(serve, stream, record, verify, inspect, report, realism, calibrate, generate, export, sources),
    *(latency, bench, doctor),
)
for command in COMMANDS:
    app.command()(command)


@app.callback()
def options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """A fake futures market that a live trading bot plugs into."""
    if version:
        from feedsim import __version__

        print(f"feedsim {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; never a traceback for what feedsim can explain."""
    try:
        code = app(args=arguments, standalone_mode=False)
    except FeedsimError as error:
        _leave(str(error), error.exit_code)
    except _usage_errors() as error:
        command = error.ctx.command_path if getattr(error, "ctx", None) else "feedsim"
        _leave(f"{error.format_message().rstrip('.')}; {command} --help tells what is allowed", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _leave(problem: str, code: int) -> NoReturn:
    print(f"feedsim: {' '.join(problem.split())}", file=sys.stderr)
    sys.exit(code)
