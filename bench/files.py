"""File trees: twice as many megabytes as the databases have."""
import os
import shutil
import subprocess

from measure import ROOT, Case, kedge, run

ROOM = 3  # times the tree's size


def source(bench):
    def make(path):
        os.makedirs(path)
        subprocess.run([os.path.join(ROOT, "bench", "make-files"), path, str(2 * bench.megabytes)], check=True)
    bench.made("tree", make)
    bench.clean()


def tree(bench):
    return os.path.basename(bench.path(f"tree-{bench.megabytes:g}"))


def setup_stored(bench):
    source(bench)
    run(bench, kedge("backup", tree(bench)))
    run(bench, f"tar -cf - {tree(bench)} | zstd -q -3 -T2 -o peer.tar.zst")


def fresh_folder(bench):
    """A file system on which nothing was ever deleted: ext4 makes files many times slower for a while after many deletions.
    Without root: a new folder."""
    folder = bench.path("fresh")
    if os.geteuid() != 0:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["umount", "-q", folder], check=False)
    image = bench.path("out.image")
    if os.path.exists(image):
        os.unlink(image)
    with open(image, "wb") as file:
        file.truncate(int((2 * bench.megabytes * ROOM + 500) * 1e6))
    subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    # As on a disk of its own: without it, what goes to this disk lies in the memory of the file system around it.
    device = subprocess.run(["findmnt", "-no", "SOURCE", folder], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["losetup", "--direct-io=on", device], check=False)


def sizes(bench):
    return os.path.getsize(bench.stored()), os.path.getsize(bench.path("peer.tar.zst"))


def restore(limit, peer):
    return Case(limit, kedge("restore", "latest", "--to", "fresh/out", "--force"), peer,
                setup=setup_stored, before_ours=fresh_folder, before_peer=fresh_folder)


def backup(limit, level):
    return Case(limit, lambda bench: kedge("backup", tree(bench), f"--compress=zstd:{level}"),
                lambda bench: f"tar -cf - {tree(bench)} | zstd -q -f -{level} -T2 -o peer.tar.zst",
                setup=source, before_ours=lambda bench: bench.clean(), sizes=sizes)


CASES = {
    "files-backup-3": backup(1.0, 3),
    "files-backup-1": backup(1.0, 1),
    "files-restore": restore(0.9, "mkdir fresh/out && tar -xf peer.tar.zst -C fresh/out"),
    "files-restore-sync": restore(0.9, "mkdir fresh/out && tar -xf peer.tar.zst -C fresh/out && sync -f fresh/out"),
}


def unmount(bench):
    if os.path.ismount(bench.path("fresh")):
        subprocess.run(["umount", bench.path("fresh")], check=True)
