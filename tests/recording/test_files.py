"""Files that are whole or absent, and folders with one writer."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from feedsim.errors import TapError
from feedsim.recording import files
from feedsim.recording.files import lock, make_folder, remove_locked, sync_file, sync_folder, write_whole
from tests.support.recordings import file_size_limit, files_in

REWRITE = """
import sys
from pathlib import Path
from feedsim.recording.files import write_whole
print("ready", flush=True)
for number in range(1_000_000):
    write_whole(Path(sys.argv[1]), str(number % 10).encode() * 50_000)
"""
HOLD = """
import sys
from pathlib import Path
from feedsim.recording.files import lock
held = lock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""
ROOT = Path(__file__).parents[2]


def test_the_new_content_replaces_the_old(tmp_path: Path) -> None:
    """And leaves nothing else in the folder."""
    path = tmp_path / "file"
    write_whole(path, b"old")
    write_whole(path, b"new")
    sync_file(path)
    sync_folder(tmp_path)
    assert path.read_bytes() == b"new"
    assert files_in(tmp_path) == ["file"]


def test_what_cannot_be_written_leaves_the_old_content(tmp_path: Path) -> None:
    """A full disk does not cost the file that was there."""
    path = tmp_path / "file"
    write_whole(path, b"old")
    with file_size_limit(100), pytest.raises(OSError, match="too large"):
        write_whole(path, bytes(1000))
    assert path.read_bytes() == b"old"
    assert files_in(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_failure_at_any_step_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Neither a failing fsync nor a failing rename is taken for success."""
    path = tmp_path / "file"
    write_whole(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(step, fail)
    with pytest.raises(OSError, match="Input/output"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert files_in(tmp_path) == ["file"]


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    """While another process rewrites the file, and after that is killed, the content is always one whole version."""
    path = tmp_path / "file"
    write_whole(path, b"x" * 50_000)
    process = subprocess.Popen([sys.executable, "-c", REWRITE, str(path)], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        seen = [path.read_bytes() for _ in range(300)]
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    for content in [*seen, path.read_bytes()]:
        assert len(content) == 50_000
        assert len(set(content)) == 1


def test_only_one_process_has_the_lock(tmp_path: Path) -> None:
    """A second is told so; a killed one lets go."""
    path = tmp_path / "recording" / "_journal" / "lock"
    path.parent.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(TapError, match="recording: another process is recording into this folder"):
            lock(path)
        process.kill()
    lock(path).close()


def test_a_folder_is_removed_under_its_lock(tmp_path: Path) -> None:
    """With all in it; who comes next makes its own."""
    folder = tmp_path / "recording" / "_journal"
    make_folder(folder)
    (folder / "left").write_bytes(b"over")
    remove_locked(folder, lock(folder / "lock"))
    assert list((tmp_path / "recording").iterdir()) == []


def test_a_lock_that_was_removed_meanwhile_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes would hold two files of one name: the one that opened the old file is refused."""
    path = tmp_path / "recording" / "_journal" / "lock"
    make_folder(path.parent)
    real = files._lock

    def late(file: IO[bytes]) -> None:
        path.unlink()  # who had it removed it after we had opened it
        real(file)

    monkeypatch.setattr(files, "_lock", late)
    with pytest.raises(TapError, match="another process is recording"):
        lock(path)


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    """Once; a file in the way is named for what it is."""
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "file" / "b")
