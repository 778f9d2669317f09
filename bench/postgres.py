"""PostgreSQL: a server of the bench's own, with the settings as shipped."""
import os
import subprocess

from measure import ROOT, Case, kedge, run

AS_SHIPPED = ("fsync = on", "shared_buffers = '128MB'", "wal_level = replica")
BIN = "/usr/lib/postgresql/15/bin"
START = os.path.join(ROOT, "tests", "servers", "start-postgres.sh")


class Server:
    """Started on first use; its databases stay for the next run. The tests' server has pages with checksums and no fsync: the
    bench's has what a new cluster has."""

    def __init__(self):
        self.folder = None

    def start(self, bench):
        if self.folder:
            return
        folder = bench.path("postgres")
        self.launch(folder)
        if self.query("postgres", "SHOW fsync") == "off":
            for setting in AS_SHIPPED:
                self.query("postgres", f"ALTER SYSTEM SET {setting}")
            subprocess.run([START, "stop", folder], check=True)
            data = os.path.join(folder, "data")
            owner = {"user": "postgres"} if os.geteuid() == 0 else {}
            subprocess.run([os.path.join(BIN, "pg_checksums"), "--disable", "--no-sync", "-D", data], check=True,
                           stdout=subprocess.DEVNULL, **owner)
            self.launch(folder)
        self.folder = folder

    def launch(self, folder):
        said = subprocess.run([START, folder, os.environ.get("KEDGE_BENCH_PGPORT", "5466")], check=True, capture_output=True, text=True)
        lines = dict(line.split("=", 1) for line in said.stdout.splitlines())
        os.environ.update({name: lines[name] for name in ("PGHOST", "PGPORT", "PGUSER")})
        with open(os.path.join(folder, "data", "postmaster.pid")) as file:
            self.pid = int(file.readline())

    def stop(self):
        if self.folder:
            subprocess.run([START, "stop", self.folder], check=True)
            self.folder = None

    def url(self, database):
        return f"postgresql://{os.environ['PGUSER']}@{os.environ['PGHOST']}:{os.environ['PGPORT']}/{database}"

    @staticmethod
    def query(database, sql):
        done = subprocess.run(["psql", "-XAtq", "-d", database, "-c", sql], check=True, capture_output=True, text=True,
                              env=dict(os.environ, PGOPTIONS="-c client_min_messages=warning"))
        return done.stdout.strip()

    def settle(self):
        """What former commands left to be written is not charged to the next."""
        self.query("postgres", "CHECKPOINT")

    def cpu(self):
        """Of the postmaster, its children that ended, and those that run."""
        ticks = sum(self.times(self.pid)[:4])
        for name in os.listdir("/proc"):
            times = self.times(name) if name.isdigit() else None
            if times and times[4] == self.pid:
                ticks += times[0] + times[1]
        return ticks / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def times(pid):
        """User, system, the same of children that ended, and the parent; None when it has gone."""
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return None
        return [int(fields[i]) for i in (11, 12, 13, 14, 1)]


SERVER = Server()


def database(bench, kind):
    return f"{kind}_{bench.megabytes:g}"


def source(kind):
    """Make the database once; reading it all warms the cache."""
    def setup(bench):
        SERVER.start(bench)
        name = database(bench, kind)
        if not SERVER.query("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            making = name + "_new"
            subprocess.run([os.path.join(ROOT, "bench", "make-postgres"), making, str(bench.megabytes)]
                           + (["single"] if kind == "single" else []), check=True)
            SERVER.query("postgres", f'ALTER DATABASE "{making}" RENAME TO "{name}"')
        bench.clean()
    return setup


def setup_stored(kind, *peers):
    def setup(bench):
        source(kind)(bench)
        run(bench, kedge("backup", SERVER.url(database(bench, kind))))
        for peer in peers:
            run(bench, peer.format(database=database(bench, kind)))
    return setup


def drop_outputs(bench):
    for name in SERVER.query("postgres", "SELECT datname FROM pg_database WHERE datname ~ '^out'").split():
        SERVER.query("postgres", f'DROP DATABASE "{name}"')


def make_output(bench):
    drop_outputs(bench)
    SERVER.query("postgres", "CREATE DATABASE out")


def size_of(path):
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(path, name)) for name in os.listdir(path))


def sizes(bench):
    peer = next(name for name in os.listdir(bench.folder) if name.startswith("peer."))
    return size_of(bench.stored()), size_of(bench.path(peer))


def backup(limit, level, peer, kind="shop"):
    return Case(limit, lambda bench: kedge("backup", SERVER.url(database(bench, kind)), f"--compress=zstd:{level}"),
                lambda bench: peer.format(database=database(bench, kind)), setup=source(kind),
                before_ours=lambda bench: bench.clean(), sizes=sizes, server=SERVER)


def restore(limit, make, peer, kind="shop"):
    return Case(limit, lambda bench: kedge("restore", "latest", "--to", SERVER.url("out"), "--force"), peer,
                setup=setup_stored(kind, make), before_ours=drop_outputs, before_peer=make_output, server=SERVER)


ARCHIVE = "pg_dump -Fc -f peer.dump {database}"
FOLDER = "rm -rf peer.dir && pg_dump -Fd -j2 -f peer.dir {database}"
PIPE = "pg_dump {{database}} | zstd -q -f -{level} -T2 -o peer.sql.zst"

CASES = {
    "postgres-backup-1-Fc": backup(0.20, 1, ARCHIVE),
    "postgres-backup-1-Fd": backup(0.26, 1, FOLDER),
    "postgres-backup-1": backup(0.75, 1, PIPE.format(level=1)),
    "postgres-backup-3": backup(0.90, 3, PIPE.format(level=3)),
    "postgres-backup-single-1": backup(0.75, 1, PIPE.format(level=1), kind="single"),
    "postgres-backup-single-3": backup(0.90, 3, PIPE.format(level=3), kind="single"),
    "postgres-restore": restore(0.75, FOLDER, "pg_restore -j2 -d out peer.dir"),
    "postgres-restore-psql": restore(0.62, PIPE.format(level=3), "zstd -qdc peer.sql.zst | psql -Xq -v ON_ERROR_STOP=1 -d out"),
    "postgres-restore-single": restore(0.75, FOLDER, "pg_restore -j2 -d out peer.dir", kind="single"),
}


def table(bench):
    """One table, a hundredth of the artifact: how much of it is read to restore that table?"""
    setup_stored("shop")(bench)
    name = database(bench, "shop")
    restored = run(bench, kedge("restore", "latest", "--table", "customers", "--to", SERVER.url("postgres"), "--force"), SERVER)
    size = os.path.getsize(bench.stored())
    print(f"postgres-table: customers of {name} in {restored.wall:.2f} s, {restored.peak:.0f} MiB; read {restored.read / 1e6:.2f} MB of "
          f"{size / 1e6:.0f} MB: {100 * restored.read / size:.1f} % (limit 3 %)", flush=True)
    SERVER.query("postgres", "DROP TABLE IF EXISTS customers CASCADE")
