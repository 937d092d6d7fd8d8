"""What a program and all that it has started cost, looked at from outside."""

import psutil


def memory_bytes(program: psutil.Process) -> int:
    """Of all its processes now; what they share is counted once."""
    found = 0
    for process in (program, *program.children(recursive=True)):
        try:
            found += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue  # it has just ended
    return found


def cpu_seconds(program: psutil.Process) -> float:
    """Of all its processes so far, also of those that have ended."""
    found = 0.0
    for process in (program, *program.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it has just ended, and is in the times of who started it
        found += times.user + times.system + times.children_user + times.children_system
    return found
