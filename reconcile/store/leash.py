"""Runs a command that ends when its parent ends, even when the parent is killed with SIGKILL.

Started by path, before any package can be imported: `python -I -S leash.py PARENT SIGNAL UID GID COMMAND…`, where
SIGNAL is what the kernel sends to the command once the process PARENT is gone (0: whichever process started it). When
started by root, the command runs as UID and GID without further groups. The leash turns into the command, so there is
no process between the two.

The kernel means the *thread* that started the child: start it from one that lives as long as the child is wanted.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def command(
    arguments: list[str],
    *,
    ends_by: signal.Signals,
    parent: int | None = None,
    uid: int | None = None,
    gid: int | None = None,
) -> list[str]:
    """The argument list that runs `arguments` on a leash held by `parent` (default: this process)."""
    wanted = (
        os.getpid() if parent is None else parent,
        int(ends_by),
        os.getuid() if uid is None else uid,
        os.getgid() if gid is None else gid,
    )
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), *map(str, wanted), *arguments]


def main(arguments: list[str]) -> None:
    """Put the leash on this process and become the command."""
    parent, ends_by, uid, gid = (int(argument) for argument in arguments[:4])
    parent = parent or os.getppid()
    program = arguments[4:]
    if os.getuid() == 0 and uid != 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    # After the change of user, which would clear it.
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, ends_by, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have gone before the kernel knew that we care.
    if os.getppid() != parent:
        sys.exit(f"the parent process {parent} ended before {program[0]} was started")
    os.execvp(program[0], program)  # noqa: S606 - there is no shell, and none is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
