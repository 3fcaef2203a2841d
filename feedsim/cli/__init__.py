"""The command line. Commands are thin; each imports what it needs only when it runs.

Exit codes: 0 done, 1 the work failed, 2 what was asked for cannot be done. Errors are one line on stderr.
"""

from __future__ import annotations

import sys

import typer

from feedsim.cli.data import generate, verify
from feedsim.cli.feed import record, stream
from feedsim.cli.look import inspect, sources
from feedsim.cli.machine import bench, doctor
from feedsim.cli.serve import serve
from feedsim.errors import FeedsimError

app = typer.Typer(
    name="feedsim",
    help="A fake futures market that a live trading bot plugs into.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (serve, stream, record, verify, inspect, generate, sources, bench, doctor):
    app.command()(command)


def _print_version(value: bool) -> None:
    if value:
        from feedsim import __version__

        print(f"feedsim {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """A fake futures market that a live trading bot plugs into."""


def main() -> None:
    """Run the command line; never a traceback for what feedsim can explain."""
    try:
        app()
    except FeedsimError as error:
        print(f"feedsim: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone: there is nobody to tell
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
