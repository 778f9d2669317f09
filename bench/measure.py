"""What a case is and how it is measured: both sides in turn on the same warm input, medians, ratios pair by pair."""
import os
import shutil
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEDGE = os.environ.get("KEDGE_BIN", os.path.join(ROOT, "build-release", "kedge"))

HEAD = """| case | kedge s | peer s | ratio, median (range) | limit | over 1 | CPU s, kedge / peer | server CPU s | slack | peak MiB | size ratio |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"""


class Run:
    """One finished process: seconds and MiB, and what it read, in bytes."""

    def __init__(self, wall, cpu, peak, server, read):
        self.wall, self.cpu, self.peak, self.server, self.read = wall, cpu, peak, server, read

    @property
    def slack(self):
        """1: all processors were busy; 2, where there are two: one at a time."""
        return self.wall * os.cpu_count() / (self.cpu + self.server)


class Case:
    """`ours` and `peer` are argument lists or lines for the shell, or functions of the bench that return one. `setup` runs
    once, `before_ours` and `before_peer` untimed each time. `limit`: of the ratio of wall times; `sizes`: a function that
    answers the sizes of both outputs. `server`: has cpu(), the seconds a server has used so far."""

    def __init__(self, limit, ours, peer, setup=None, before_ours=None, before_peer=None, sizes=None, server=None):
        self.limit, self.ours, self.peer, self.setup = limit, ours, peer, setup
        self.before_ours, self.before_peer = before_ours, before_peer
        self.sizes, self.server = sizes, server


class Bench:
    """The folder everything happens in, and how large the input is."""

    def __init__(self, folder, megabytes):
        self.folder, self.megabytes = folder, megabytes

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def made(self, name, make):
        """Make an input once: `make` is called with the path of a folder or file that does not exist."""
        path = self.path(f"{name}-{self.megabytes:g}")
        if not os.path.exists(path):
            print(f"bench: making {path}", file=sys.stderr)
            make(path + ".new")
            os.rename(path + ".new", path)
        return path

    def stored(self):
        """The newest artifact."""
        folder = self.path("home", "backups")
        names = [name for name in os.listdir(folder) if not name.endswith(".json")]
        return max((os.path.join(folder, name) for name in names), key=os.path.getmtime)

    def clean(self):
        """Nothing that a former command wrote is there."""
        for name in os.listdir(self.folder):
            path = self.path(name)
            if name == "home" or (name.startswith("peer.") and os.path.isdir(path)):
                shutil.rmtree(path)
            elif name.startswith(("peer.", "out.")):
                os.unlink(path)


def kedge(*arguments):
    return [KEDGE, *arguments]


def run(bench, command, server=None):
    """Run a command in the bench's folder and wait for it."""
    argv = ["/bin/sh", "-c", command] if isinstance(command, str) else command
    server_before = server.cpu() if server else 0
    started = time.monotonic()
    child = subprocess.Popen(argv, cwd=bench.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, env=dict(os.environ, KEDGE_HOME=bench.path("home")))
    errors = child.stderr.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - started
    read = read_bytes(child.pid)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"bench: {command} failed with {child.returncode}: {errors.decode(errors='replace')[-500:]}")
    if server:
        time.sleep(0.2)  # for its processes to end and be counted
    used = server.cpu() - server_before if server else 0
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, used, read)


def read_bytes(pid):
    """Of a process that has ended and was not yet waited for; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/io") as io:
            return int(next(line for line in io if line.startswith("rchar")).split()[1])
    except OSError:
        return 0


def one(bench, case, command, before):
    """What former commands left to be written is not charged to this one."""
    if before:
        before(bench)
    if case.server:
        case.server.settle()
    os.sync()
    return run(bench, command(bench) if callable(command) else command, case.server)


def measure(bench, name, case, rounds):
    """Print one row: `rounds` pairs after one that warms up."""
    if case.setup:
        case.setup(bench)
    pairs = []
    for _ in range(rounds + 1):
        pairs.append((one(bench, case, case.ours, case.before_ours), one(bench, case, case.peer, case.before_peer)))
        print(f"bench: {name}: {pairs[-1][0].wall:.2f} s, {pairs[-1][1].wall:.2f} s", file=sys.stderr)
    pairs = pairs[1:]
    ratios = [ours.wall / peer.wall for ours, peer in pairs]

    def median(side, field):
        return statistics.median(getattr(pair[side], field) for pair in pairs)

    ours, peer = case.sizes(bench) if case.sizes else (0, 0)
    server = f"{median(0, 'server'):.2f} / {median(1, 'server'):.2f}" if case.server else ""
    print(f"| {name} | {median(0, 'wall'):.2f} | {median(1, 'wall'):.2f} | **{statistics.median(ratios):.2f}** "
          f"({min(ratios):.2f}-{max(ratios):.2f}) | {case.limit:.2f} | {sum(r > 1 for r in ratios)}/{len(ratios)} "
          f"| {median(0, 'cpu'):.2f} / {median(1, 'cpu'):.2f} | {server} | {median(0, 'slack'):.2f} / {median(1, 'slack'):.2f} "
          f"| {median(0, 'peak'):.0f} / {median(1, 'peak'):.0f} | {f'{ours / peer:.3f}' if peer else ''} |", flush=True)
