"""SQLite, the compressions and verification."""
import os
import shutil
import subprocess

from measure import ROOT, Case, kedge, run


def source(bench):
    def make(path):
        subprocess.run([os.path.join(ROOT, "bench", "make-sqlite"), path, str(bench.megabytes)], check=True)
    made = bench.made("shop.db", make)
    link = bench.path("shop.db")
    if os.path.lexists(link):
        os.unlink(link)
    os.link(made, link)


def setup_stored(*options):
    def setup(bench):
        source(bench)
        bench.clean()
        run(bench, kedge("backup", "shop.db", *options))
        shutil.copyfile(bench.stored(), bench.path("peer.zst"))
    return setup


def sizes(bench):
    peers = [os.path.getsize(bench.path(name)) for name in os.listdir(bench.folder)
             if name.startswith("peer.") and not name.endswith(".db")]
    return os.path.getsize(bench.stored()), peers[0] if peers else 0


def remove_outputs(bench):
    for name in ("peer.db", "out.db", "out.db-wal", "out.db-shm"):
        if os.path.exists(bench.path(name)):
            os.unlink(bench.path(name))


def backup(limit, option, peer):
    return Case(limit, kedge("backup", "shop.db", option), peer, setup=source, before_ours=lambda bench: bench.clean(), sizes=sizes)


COPY = "sqlite3 shop.db '.backup peer.db' && "

CASES = {
    "sqlite-backup-1": backup(0.60, "--compress=zstd:1", COPY + "zstd -q -f -1 -T2 peer.db -o peer.zst"),
    # Against the peer at the level it has when none is asked for.
    "sqlite-backup-1-peer-3": backup(0.60, "--compress=zstd:1", COPY + "zstd -q -f -3 -T2 peer.db -o peer.zst"),
    "sqlite-backup-3": backup(0.75, "--compress=zstd:3", COPY + "zstd -q -f -3 -T2 peer.db -o peer.zst"),
    "sqlite-restore": Case(0.75, kedge("restore", "latest", "--to", "out.db", "--force"),
                           "zstd -q -d -f peer.zst -o peer.db && sync peer.db",
                           setup=setup_stored("--compress=zstd:3"), before_ours=remove_outputs, before_peer=remove_outputs),
    "gzip-backup": backup(0.50, "--compress=gzip", "pigz -1 -p2 -c shop.db > peer.gz"),
    "gzip-backup-pigz-default": backup(0.50, "--compress=gzip", "pigz -p2 -c shop.db > peer.gz"),
    "verify-2": Case(0.90, kedge("verify", "latest", "--level", "2"), "zstd -q -t peer.zst", setup=setup_stored("--compress=zstd:3")),
}
