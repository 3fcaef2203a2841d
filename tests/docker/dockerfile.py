"""Carries out a Dockerfile without a container engine, as far as that goes.

Every stage has a folder as its file system; paths of the image are rewritten to it in what RUN, COPY and CMD say. The
base image is stood in for by this machine's Python. What cannot be had without an engine is stood in for too and
recorded: users (`useradd`), owners (`install -o`), and the download of dependencies (`borrow_packages`).
"""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

# Folders of the base image, which this machine has as well.
SHARED = ("bin", "dev", "etc", "lib", "proc", "usr")
ABSOLUTE = re.compile(r"(?<![\w./:$*'-])/(?!/)(?P<top>[\w.-]+)")


class Instruction(NamedTuple):
    """One instruction: its name in capitals and what follows, with continued lines joined."""

    name: str
    value: str

    def words(self) -> list[str]:
        """The exec form's words (a JSON list), or the shell form's."""
        words = json.loads(self.value) if self.value.startswith("[") else shlex.split(self.value)
        assert all(isinstance(word, str) for word in words)
        return list(words)


@dataclass
class Stage:
    """FROM and what follows it."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, name: str) -> Instruction:
        return next(instruction for instruction in reversed(self.instructions) if instruction.name == name)

    def all(self, name: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.name == name]

    def environment(self) -> dict[str, str]:
        """What ENV sets, as it is written."""
        pairs = [word.partition("=") for setting in self.all("ENV") for word in shlex.split(setting.value)]
        return {name: value for name, _, value in pairs}


def parse(text: str) -> tuple[dict[str, str], list[Stage]]:
    """The arguments before the first FROM, with their defaults, and the stages."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, value = line.partition(" ")
        instruction = Instruction(name.upper(), value.strip())
        if instruction.name == "FROM":
            base, _, stage = instruction.value.partition(" AS ")
            stages.append(Stage(base, stage.strip()))
        elif stages:
            stages[-1].instructions.append(instruction)
        else:
            assert instruction.name == "ARG", f"{line} before FROM"
            argument, _, default = instruction.value.partition("=")
            arguments[argument] = default
    return arguments, stages


def is_ignored(path: str, ignore: list[str]) -> bool:
    """Whether .dockerignore leaves a path out of the build: the last pattern that fits it or a parent decides."""
    names = ["/".join(path.split("/")[: depth + 1]) for depth in range(path.count("/") + 1)]
    ignored = False
    for pattern in ignore:
        wanted = pattern.removeprefix("!")
        anywhere = wanted.removeprefix("**/")
        if any(fnmatch.fnmatch(name, wanted) or fnmatch.fnmatch(name.rpartition("/")[2], anywhere) for name in names):
            ignored = not pattern.startswith("!")
    return ignored


class Build:
    """Carries out stages in `folder`; `context` is the folder that `docker build` would be given."""

    def __init__(self, folder: Path, context: Path) -> None:
        self.root = folder / "root"
        """The file system of the stage that is being built, and in the end the image's."""
        self.users: list[str] = []
        """Made by useradd in this stage."""
        self.owned: dict[str, str] = {}
        """Owners of folders, by their path in the image."""
        self._context = context
        self._stages = folder / "stages"
        self._stand_ins = folder / "stand-ins"
        self._record = folder / "record"
        ignore_file = (context / ".dockerignore").read_text().splitlines()
        self._ignore = [line for line in ignore_file if line and not line.startswith("#")]
        self._write_stand_ins()

    def run(self, stages: list[Stage]) -> None:
        for stage in stages:
            self.root.mkdir(parents=True)
            self._record.write_text("")
            cwd = "/"
            for instruction in stage.instructions:
                if instruction.name == "WORKDIR":
                    cwd = instruction.value
                    self.inside(cwd).mkdir(parents=True, exist_ok=True)
                elif instruction.name == "COPY":
                    self._copy(instruction.words(), cwd)
                elif instruction.name == "RUN":
                    self._shell(instruction.value, cwd)
            if stage is not stages[-1]:
                # Gone from where it was built: what the next stage does not copy, it does not have.
                self._stages.mkdir(exist_ok=True)
                self.root.rename(self._stages / stage.name)
        self._read_record()

    def inside(self, path: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / path.lstrip("/")

    def rewritten(self, text: str) -> str:
        """Absolute paths of the image as paths of this machine."""
        return ABSOLUTE.sub(lambda match: match[0] if match["top"] in SHARED else f"{self.root}{match[0]}", text)

    def environment(self, stage: Stage) -> dict[str, str]:
        """The environment of a container, with the base image's PATH stood in for."""
        path = f"{self._stand_ins}:/usr/bin:/bin"
        settings = {name: self.rewritten(value) for name, value in stage.environment().items()}
        return settings | {"PATH": settings.get("PATH", path).replace("$PATH", path)}

    def borrow_packages(self, venv: str) -> None:
        """Let a virtual environment of the image import what this one has installed (not what it has as editable).

        In an image pip downloads the dependencies; here `--no-deps` left them out.
        """
        (packages,) = self.inside(venv).glob("lib/python*/site-packages")
        (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n")

    def _copy(self, words: list[str], cwd: str) -> None:
        source = self._context
        if words[0].startswith("--from="):
            source = self._stages / words.pop(0).removeprefix("--from=")
        *names, target = words
        into = self.root / cwd.lstrip("/") / target if not target.startswith("/") else self.inside(target)
        for name in names:
            path = source / name.lstrip("/")
            assert source != self._context or not is_ignored(name, self._ignore), f".dockerignore leaves {name} out"
            if path.is_dir():
                shutil.copytree(path, into, symlinks=True, ignore=self._ignored if source == self._context else None)
            else:
                shutil.copy(path, into)

    def _ignored(self, folder: str, names: list[str]) -> set[str]:
        within = Path(folder).relative_to(self._context)
        return {name for name in names if is_ignored((within / name).as_posix(), self._ignore)}

    def _shell(self, command: str, cwd: str) -> None:
        # Dependencies are not downloaded, and the build backend is the one that is installed here.
        settings = {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        environment = {"PATH": f"{self._stand_ins}:/usr/bin:/bin", "HOME": str(self.root), **settings}
        done = subprocess.run(
            ["/bin/sh", "-c", self.rewritten(command)],
            cwd=self.inside(cwd),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"RUN {command}\n{done.stdout}{done.stderr}"

    def _write_stand_ins(self) -> None:
        self._stand_ins.mkdir(parents=True)
        python = shlex.quote(sys.executable)
        note = f'echo "$(basename "$0") $*" >> {shlex.quote(str(self._record))}'
        scripts = {
            "python": f'exec {python} "$@"',
            "pip": f'exec {python} -m pip "$@"',
            "useradd": note,
            "install": f'{note}\nfor last; do case "$last" in /*) mkdir -p "$last";; esac; done',
        }
        for name, script in scripts.items():
            path = self._stand_ins / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)

    def _read_record(self) -> None:
        for words in map(str.split, self._record.read_text().splitlines()):
            if words[0] == "useradd":
                self.users.append(words[-1])
            else:
                owner = words[words.index("-o") + 1]
                folders = [word.removeprefix(str(self.root)) for word in words if word.startswith("/")]
                self.owned |= dict.fromkeys(folders, owner)
