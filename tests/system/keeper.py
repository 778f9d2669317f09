#!/usr/bin/python3
"""Waits for the end of a test run, however it comes, and takes away what the run left behind.

Usage: keeper.py PID FOLDER, with a pipe from the run (the process PID) on stdin. When the other end is gone, processes
that were started with a path in FOLDER or in /tmp/kedge-*-PID, or that work there, are ended; then the folders go.
"""
import glob
import os
import shutil
import signal
import sys
import time


def read(path):
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.read())
    except OSError:
        return ""


def works_in(pid, folders):
    """Does its working folder, or one of its arguments, lie in one of the folders?"""
    try:
        words = [os.readlink(f"/proc/{pid}/cwd")]
    except OSError:
        words = []
    words += read(f"/proc/{pid}/cmdline").split("\0")
    return any(word.endswith(folder) or folder + "/" in word for word in words for folder in folders)


def remaining(folders):
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid() and works_in(name, folders)]


def send(pids, *signals):
    for pid in pids:
        for number in signals:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass


def end_all(folders):
    # SIGINT is what makes PostgreSQL close its connections and end.
    send(remaining(folders), signal.SIGINT, signal.SIGTERM)
    deadline = time.monotonic() + 5
    while remaining(folders) and time.monotonic() < deadline:
        time.sleep(0.05)
    send(remaining(folders), signal.SIGKILL)


def main():
    run, folder = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    folders = [folder, *glob.glob(f"/tmp/kedge-*-{glob.escape(run)}")]
    end_all(folders)
    for name in folders:
        shutil.rmtree(name, ignore_errors=True)


if __name__ == "__main__":
    main()
