"""The one error tree. Errors hold facts (which file, which field); their text is built from them.

FeedsimError                     exit code 1
├── ConfigError(file, field)     exit code 2
├── SourceError(file, row)       exit code 2
├── ProtocolError(code)          a wire error code, and a close code where the connection must end
├── ResumeError(first, last)     the wire error resume_too_old
├── OrderError(code)             an order that is refused
└── TapError                     exit code 1
"""

from __future__ import annotations

from typing import ClassVar


class FeedsimError(Exception):
    """Any failure that feedsim explains in one line."""

    exit_code: ClassVar[int] = 1


class ConfigError(FeedsimError):
    """A setting that cannot be used: names the file (if it came from one), the field and what is allowed."""

    exit_code = 2

    def __init__(self, problem: str, *, field: str | None = None, file: str | None = None) -> None:
        self.problem, self.field, self.file = problem, field, file
        super().__init__(problem, field, file)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.field, self.problem) if part)


class SourceError(FeedsimError):
    """Input data that cannot be replayed: names the file, the row (from 1) and what was expected."""

    exit_code = 2

    def __init__(self, problem: str, *, file: str | None = None, row: int | None = None) -> None:
        self.problem, self.file, self.row = problem, file, row
        super().__init__(problem, file, row)

    def __str__(self) -> str:
        where = self.file or ""
        if self.row is not None:
            where += f", row {self.row}" if where else f"row {self.row}"
        return f"{where}: {self.problem}" if where else self.problem


class ProtocolError(FeedsimError):
    """A client's message that is refused; `close_code` is set where the connection must end."""

    def __init__(self, code: str, message: str, *, close_code: int | None = None, id: int | None = None) -> None:
        self.code, self.message, self.close_code, self.id = code, message, close_code, id
        super().__init__(code, message, close_code, id)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ResumeError(ProtocolError):
    """A position that can no longer be served: `first` and `last` are the seqs that can."""

    def __init__(self, message: str, *, first: int, last: int, id: int | None = None) -> None:
        self.first, self.last = first, last
        super().__init__("resume_too_old", message, id=id)


class OrderError(FeedsimError):
    """An order or what was asked of one is refused: `code` is of docs/trading.md, `sentence` says what is allowed."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code, self.sentence = code, sentence
        super().__init__(code, sentence)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class TapError(FeedsimError):
    """A recording that cannot be written, recovered or verified."""
