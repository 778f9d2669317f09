"""File trees out and back, against the tar programs that people have.

The source is driven through build/tests/files_tool; KEDGE_BUILD names another build folder.
"""
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(ROOT, os.environ.get("KEDGE_BUILD", "build"), "tests", "files_tool")
AS_ROOT = os.geteuid() == 0

pytestmark = pytest.mark.skipif(not os.path.exists(TOOL), reason="files_tool is not built")


# ---- running ----

class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "surrogateescape")
        self.err = done.stderr.decode("utf-8", "surrogateescape")
        self.lines = self.out.splitlines()

    def values(self, key):
        return [line[len(key) + 2:] for line in self.lines if line.startswith(key + ": ")]

    def value(self, key):
        return self.values(key)[0]


def tool(*args, fault=None, **more):
    env = dict(os.environ)
    env.pop("KEDGE_TEST_FAULT", None)
    if fault:
        env["KEDGE_TEST_FAULT"] = fault
    return Result(subprocess.run([TOOL, *args], env=env, capture_output=True, timeout=120, **more))


def dump(archive, *args):
    result = tool("dump", archive, *args)
    assert result.code == 0, result.err
    result.metadata = result.lines[0]
    return result


def run(*args, **more):
    return subprocess.run(args, check=True, capture_output=True, **more)


# ---- trees ----

def describe(top):
    """Everything about a tree that a backup keeps, by path."""
    top = os.fsencode(top)
    found, inodes = {}, {}

    def one(path, name):
        info = os.lstat(path)
        entry = {"mode": stat.filemode(info.st_mode), "owner": (info.st_uid, info.st_gid),
                 "mtime": info.st_mtime_ns}
        try:
            entry["xattr"] = {key: os.getxattr(path, key, follow_symlinks=False)
                              for key in os.listxattr(path, follow_symlinks=False)}
        except OSError:
            entry["xattr"] = {}
        if stat.S_ISLNK(info.st_mode):
            entry["link"] = os.readlink(path)
        if stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                entry["content"] = file.read()
        if stat.S_ISBLK(info.st_mode) or stat.S_ISCHR(info.st_mode):
            entry["device"] = info.st_rdev
        if not stat.S_ISDIR(info.st_mode) and info.st_nlink > 1:
            inodes.setdefault(info.st_ino, []).append(name)
        found[name] = entry

    one(top, b".")
    for folder, folders, names in os.walk(top):
        for name in folders + names:
            path = os.path.join(folder, name)
            one(path, os.path.relpath(path, top))
    for names in inodes.values():
        for name in names:
            found[name]["same"] = tuple(sorted(names))
    return found


def assert_same(a, b, ignore=()):
    left, right = describe(a), describe(b)
    for entries in (left, right):
        for entry in entries.values():
            for key in ignore:
                entry.pop(key, None)
    assert sorted(left) == sorted(right)
    for name in left:
        assert left[name] == right[name], name


STRANGE = [b"quote'", b'double"', b"new\nline", b"semi;colon", b"100%", b"%s%n", b"-rf", b"--help", b" blank ",
           b"tab\t", b"back\\slash", b"\xf0\x9f\x98\x80", b"\xff\xfe", b"na\xc3\xafve", b"nai\xcc\x88ve", b"*", b"?",
           b"[a]", b"$(id)", b"`id`", b"#", b"\x01\x1b[31m", b"x" * 255, b"\xe9" * 200, b".hidden", b"..two", b"=",
           b"a=b", b"GNUSparseFile.0", b"PaxHeaders"]


def strange_tree(top):
    os.mkdir(top)
    for name in STRANGE:
        with open(os.path.join(os.fsencode(top), name), "wb") as file:
            file.write(b"content of " + name)
        os.mkdir(os.path.join(os.fsencode(top), b"d" + name[:250]))
        os.symlink(name, os.path.join(os.fsencode(top), b"l" + name[:250]))
    # Last, because everything above changes it.
    os.utime(top, ns=(1, 1234567890123456789))


def rich_tree(top):
    os.mkdir(top)
    join = lambda *parts: os.path.join(top, *parts)
    with open(join("plain"), "w") as file:
        file.write("hello\n")
    open(join("empty"), "w").close()
    with open(join("exact"), "wb") as file:
        file.write(os.urandom(512))
    with open(join("big"), "wb") as file:
        file.write(os.urandom(1 << 20) * 9 + b"tail")
    os.mkdir(join("sub"))
    os.link(join("plain"), join("sub", "hard"))
    os.link(join("big"), join("sub", "bighard"))
    os.symlink("plain", join("soft"))
    os.symlink("x" * 300, join("longsoft"))
    os.symlink("/nowhere", join("dangling"))
    os.link(join("dangling"), join("danglinghard"), follow_symlinks=False)
    os.mkfifo(join("fifo"), 0o640)
    with open(join("sparse"), "wb") as file:
        file.seek(1 << 22)
        file.write(b"data")
        file.seek(1 << 23)
        file.write(b"more")
        file.truncate(1 << 24)
    with open(join("hole"), "wb") as file:
        file.truncate(100000)
    deep = join("deep")
    for _ in range(30):
        deep = os.path.join(deep, "d" * 60)
    os.makedirs(deep)
    with open(os.path.join(deep, "bottom"), "w") as file:
        file.write("far down")
    os.setxattr(join("plain"), "user.note", b"v\0=1\n")
    os.setxattr(join("plain"), "user.a=b%c", b"odd name")
    os.setxattr(join("sub"), "user.folder", b"x" * 2000)
    os.chmod(join("exact"), 0o4711)
    os.chmod(join("empty"), 0o000)
    os.chmod(join("sub"), 0o2775)
    if shutil.which("setfacl"):
        run("setfacl", "-m", "u:daemon:rw,u:54321:r,g:bin:x", join("plain"))
        run("setfacl", "-d", "-m", "u:daemon:rx", join("sub"))
    if AS_ROOT:
        os.mknod(join("null"), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.mknod(join("disk"), 0o600 | stat.S_IFBLK, os.makedev(259, 1000))
        os.chown(join("exact"), 12345, 54321)
        os.chmod(join("exact"), 0o4711)
        os.lchown(join("soft"), 1, 2)
        os.chown(join("big"), 3000000, 3000001)
    os.utime(join("soft"), ns=(1, 987654321987654321), follow_symlinks=False)
    os.utime(join("plain"), ns=(1, -1500000001))
    os.utime(join("exact"), ns=(1, 32503680000000000001))
    os.utime(join("sub"), ns=(1, 1))
    os.utime(top, ns=(1, 1234567890123456789))


@pytest.fixture
def rich(tmp_path):
    top = str(tmp_path / "rich")
    rich_tree(top)
    return top


# ---- what other programs make of it ----

@pytest.mark.skipif(not AS_ROOT, reason="owners and devices need root")
def test_gnu_tar_restores_everything(rich, tmp_path):
    archive, out = str(tmp_path / "a.tar"), tmp_path / "out"
    assert not dump(archive, rich).values("incomplete")
    out.mkdir()
    done = run("tar", "-xpf", archive, "-C", str(out), "--xattrs", "--xattrs-include=*", "--acls", "--sparse")
    assert b"gnor" not in done.stderr
    assert_same(rich, str(out) + rich)
    copy = str(out) + rich + "/sparse"
    assert os.stat(copy).st_blocks * 512 < 1 << 20


def test_gnu_tar_restores_strange_names(tmp_path):
    top, archive, out = str(tmp_path / "strange"), str(tmp_path / "a.tar"), tmp_path / "out"
    strange_tree(top)
    dump(archive, top)
    out.mkdir()
    run("tar", "-xpf", archive, "-C", str(out))
    assert_same(top, str(out) + top)


@pytest.mark.skipif(not shutil.which("bsdtar"), reason="no bsdtar")
def test_bsdtar_restores_content(rich, tmp_path):
    archive, out = str(tmp_path / "a.tar"), tmp_path / "out"
    dump(archive, rich)
    out.mkdir()
    subprocess.run(["bsdtar", "-xpf", archive, "-C", str(out)], check=AS_ROOT, capture_output=True)
    # bsdtar reads fractions before 1970 wrongly and does not decode names of attributes.
    assert_same(rich, str(out) + rich, ignore=("xattr", "mtime"))


def test_python_reads_every_member(rich, tmp_path):
    archive = str(tmp_path / "a.tar")
    result = dump(archive, rich)
    with tarfile.open(archive, errorlevel=2) as tar:
        members = tar.getmembers()
        assert len(members) == json.loads(result.metadata)["members"]
        for member in members:
            if member.isfile():
                tar.extractfile(member).read()


# ---- there and back ----

@pytest.mark.parametrize("jobs", ["1", "4"])
@pytest.mark.parametrize("piece", ["0", "10000"])
def test_a_tree_comes_back_in_place(rich, tmp_path, jobs, piece):
    archive, before = str(tmp_path / "a.tar"), str(tmp_path / "before")
    run("cp", "-a", rich, before)
    metadata = dump(archive, rich, "--jobs", jobs).metadata
    os.unlink(rich + "/plain")
    with open(rich + "/new", "w") as file:
        file.write("not in the backup")
    changed = describe(rich)
    done = tool("load", archive, "--metadata", metadata, "--devices", "--keep", "--jobs", jobs, "--piece", piece)
    assert done.code == 0, done.err
    assert_same(before, rich)
    kept = done.value("kept")
    assert tool("recover", kept).lines == ["after"]
    assert tool("undo", kept).code == 0
    assert describe(rich) == changed
    assert tool("undo", kept).code == 0
    assert_same(before, rich)
    assert tool("discard", kept).code == 0
    assert tool("discard", kept).code == 0
    assert tool("undo", kept).code == 1
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "before", "rich"]


@pytest.mark.parametrize("jobs", ["1", "2", "5"])
def test_large_files_among_small_ones_come_back(tmp_path, jobs):
    """Workers give their place up for the large ones, and need it again for the small ones."""
    top, archive, before = tmp_path / "t", str(tmp_path / "a.tar"), str(tmp_path / "before")
    top.mkdir()
    for number in range(8):
        (top / f"{number}-large").write_bytes(os.urandom(1 << 19) * 18 + b"tail" * number)
        for small in range(20):
            (top / f"{number}-small-{small}").write_bytes(os.urandom(100 * small))
    run("cp", "-a", str(top), before)
    metadata = dump(archive, str(top)).metadata
    done = tool("load", archive, "--metadata", metadata, "--jobs", jobs)
    assert done.code == 0, done.err
    assert_same(before, str(top))


def test_strange_names_come_back(tmp_path):
    top, archive = str(tmp_path / "strange"), str(tmp_path / "a.tar")
    strange_tree(top)
    metadata = dump(archive, top).metadata
    done = tool("load", archive, "--metadata", metadata, "--to", str(tmp_path / "to"))
    assert done.code == 0, done.err
    assert_same(top, str(tmp_path / "to") + top)


def test_a_root_with_a_strange_name_comes_back(tmp_path):
    top, archive = os.fsencode(tmp_path) + b"/r\xff%41\n", str(tmp_path / "a.tar")
    os.mkdir(top)
    open(top + b"/f", "w").close()
    result = tool("dump", archive, top)
    assert result.code == 0
    shutil.rmtree(top)
    assert tool("load", archive, "--metadata", result.lines[0]).code == 0
    assert os.path.exists(top + b"/f")


FORMS = {
    "pax 1.0": ["--format=pax", "--sparse", "--sparse-version=1.0", "--xattrs", "--acls"],
    "pax 0.1": ["--format=pax", "--sparse", "--sparse-version=0.1", "--xattrs", "--acls"],
    "pax 0.0": ["--format=pax", "--sparse", "--sparse-version=0.0", "--xattrs", "--acls"],
    "gnu": ["--format=gnu"],
    "gnu sparse": ["--format=gnu", "--sparse"],
    "oldgnu sparse": ["--format=oldgnu", "--sparse"],
    "incremental": ["--format=gnu", "--listed-incremental=SNAPSHOT", "--label=volume"],
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_what_gnu_tar_wrote_is_restored(rich, tmp_path, form):
    archive, to = str(tmp_path / "a.tar"), str(tmp_path / "to")
    with open(rich + "/sieve", "wb") as file:
        for number in range(100):
            file.seek(number << 16)
            file.write(b"%d" % number)
        file.truncate(101 << 16)
    options = [option.replace("SNAPSHOT", str(tmp_path / "snapshot")) for option in FORMS[form]]
    run("tar", "-cf", archive, *options, "-C", rich, ".")
    done = tool("load", archive, "--to", to, "--devices")
    assert done.code == 0, done.err
    # The tree's own time is that of a folder into which something was just made.
    assert_same(rich, to, ignore=() if "pax" in form else ("xattr", "mtime"))
    if "sparse" in form or "pax" in form:
        for name in ("/sieve", "/sparse", "/hole"):
            assert os.stat(to + name).st_blocks == os.stat(rich + name).st_blocks


@pytest.mark.skipif(not shutil.which("bsdtar") or not shutil.which("setfacl"), reason="no bsdtar or setfacl")
@pytest.mark.parametrize("attributes", ["SCHILY", "LIBARCHIVE"])
def test_what_bsdtar_wrote_is_restored(rich, tmp_path, attributes):
    archive, to = str(tmp_path / "a.tar"), str(tmp_path / "to")
    run("bsdtar", "-cf", archive, "--format=pax", "--options", "pax:xattrheader=" + attributes, "--acls", "--xattrs",
        "-C", rich, ".")
    done = tool("load", archive, "--to", to, "--devices")
    assert done.code == 0, done.err
    # libarchive cannot write a time before 1970 with a fraction.
    os.utime(rich + "/plain", ns=(1, 1))
    os.utime(to + "/plain", ns=(1, 1))
    assert_same(rich, to)


@pytest.mark.skipif(not shutil.which("setfacl"), reason="no setfacl")
def test_nothing_is_inherited_from_the_folder_around(tmp_path):
    top, archive, before = str(tmp_path / "t"), str(tmp_path / "a.tar"), str(tmp_path / "before")
    small_tree(top)
    run("cp", "-a", top, before)
    metadata = dump(archive, top).metadata
    run("setfacl", "-d", "-m", "u:daemon:rwx", str(tmp_path))
    os.chmod(tmp_path, 0o2755)
    if AS_ROOT:
        os.chown(tmp_path, 0, 4)
        os.chmod(tmp_path, 0o2755)
    done = tool("load", archive, "--metadata", metadata)
    assert done.code == 0, done.err
    assert_same(before, top)


def test_a_single_file_is_a_root_too(tmp_path):
    path, archive = str(tmp_path / "app.conf"), str(tmp_path / "a.tar")
    with open(path, "w") as file:
        file.write("one")
    metadata = dump(archive, path).metadata
    with open(path, "w") as file:
        file.write("two")
    done = tool("load", archive, "--metadata", metadata, "--keep")
    assert done.code == 0, done.err
    assert open(path).read() == "one"
    assert tool("undo", done.value("kept")).code == 0
    assert open(path).read() == "two"


def test_several_trees_come_back_together(tmp_path):
    trees = [str(tmp_path / name) for name in ("a", "b", "c.conf")]
    os.mkdir(trees[0])
    os.mkdir(trees[1])
    for path in (trees[0] + "/f", trees[1] + "/g", trees[2]):
        with open(path, "w") as file:
            file.write(path)
    archive = str(tmp_path / "x.tar")
    # One that lies beneath another is stored once.
    metadata = dump(archive, *trees, trees[0] + "/f").metadata
    shutil.rmtree(trees[0])
    os.unlink(trees[1] + "/g")
    os.unlink(trees[2])
    done = tool("load", archive, "--metadata", metadata, "--keep")
    assert done.code == 0, done.err
    for path in (trees[0] + "/f", trees[1] + "/g", trees[2]):
        assert open(path).read() == path
    assert tool("undo", done.value("kept")).code == 0
    assert not os.path.exists(trees[0]) and not os.path.exists(trees[2])
    assert os.listdir(trees[1]) == []


# ---- parts of a tree ----

def small_tree(top):
    os.makedirs(top + "/cache/deep")
    os.makedirs(top + "/keep")
    for name in ("a.txt", "b.tmp", "cache/c.txt", "cache/deep/d.tmp", "keep/e.txt", "keep/f.tmp"):
        with open(os.path.join(top, name), "w") as file:
            file.write("old " + name)
    return top


def names_in(archive, top):
    with tarfile.open(archive) as tar:
        return {os.path.relpath("/" + name, top) for name in tar.getnames()}


@pytest.mark.parametrize("pattern,gone", [
    ("*.tmp", {"b.tmp", "cache/deep/d.tmp", "keep/f.tmp"}),
    ("cache/**", {"cache/c.txt", "cache/deep", "cache/deep/d.tmp"}),
    ("cache", {"cache", "cache/c.txt", "cache/deep", "cache/deep/d.tmp"}),
    ("cache/", {"cache", "cache/c.txt", "cache/deep", "cache/deep/d.tmp"}),
    ("a.txt/", set()),
    ("keep/*.tmp", {"keep/f.tmp"}),
    ("**/d.tmp", {"cache/deep/d.tmp"}),
])
def test_patterns_leave_out(tmp_path, pattern, gone):
    top, archive = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar")
    dump(archive, top)
    everything = names_in(archive, top)
    dump(archive, top, "--exclude", pattern)
    assert everything - names_in(archive, top) == gone


def test_an_absolute_pattern_counts_from_the_top(tmp_path):
    top, archive = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar")
    dump(archive, top, "--exclude", top + "/keep")
    assert not any(name.startswith("keep") for name in names_in(archive, top))


def test_tagged_caches_are_left_out_on_request(tmp_path):
    top, archive = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar")
    with open(top + "/cache/CACHEDIR.TAG", "w") as file:
        file.write("Signature: 8a477f597d28d172789f06886806bc55\nmore")
    with open(top + "/keep/CACHEDIR.TAG", "w") as file:
        file.write("Signature: something else, far too short or long")
    dump(archive, top)
    assert "cache/c.txt" in names_in(archive, top)
    dump(archive, top, "--exclude-caches")
    names = names_in(archive, top)
    assert {"cache", "cache/CACHEDIR.TAG", "keep/e.txt"} <= names
    assert "cache/c.txt" not in names and "cache/deep" not in names


def test_only_what_is_asked_for_is_replaced_and_can_be_undone(tmp_path):
    top, archive = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar")
    metadata = dump(archive, top).metadata
    for name in ("a.txt", "keep/e.txt", "keep/f.tmp"):
        with open(os.path.join(top, name), "w") as file:
            file.write("new")
    shutil.rmtree(top + "/cache")
    before = describe(top)
    done = tool("load", archive, "--metadata", metadata, "--keep", "--include", "*.txt", "--exclude", "a.txt")
    assert done.code == 0, done.err
    assert open(top + "/keep/e.txt").read() == "old keep/e.txt"
    assert open(top + "/cache/c.txt").read() == "old cache/c.txt"
    assert open(top + "/a.txt").read() == "new" and open(top + "/keep/f.tmp").read() == "new"
    assert not os.path.exists(top + "/cache/deep/d.tmp")
    assert tool("undo", done.value("kept")).code == 0
    assert before.keys() == describe(top).keys()
    for name, entry in before.items():
        assert entry.get("content") == describe(top)[name].get("content")


def test_nothing_that_matches_is_an_error(tmp_path):
    top, archive = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar")
    metadata = dump(archive, top).metadata
    done = tool("load", archive, "--metadata", metadata, "--include", "*.nothing")
    assert done.code == 1 and "matches" in done.err
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "t"]


def test_into_a_folder_with_content_others_stay(tmp_path):
    top, archive, to = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar"), str(tmp_path / "to")
    metadata = dump(archive, top).metadata
    os.makedirs(to + top + "/keep")
    for name in ("keep/e.txt", "keep/mine"):
        with open(to + top + "/" + name, "w") as file:
            file.write("mine")
    done = tool("load", archive, "--metadata", metadata, "--to", to, "--keep")
    assert done.code == 0, done.err
    assert open(to + top + "/keep/mine").read() == "mine"
    assert open(to + top + "/keep/e.txt").read() == "old keep/e.txt"
    assert tool("undo", done.value("kept")).code == 0
    assert open(to + top + "/keep/e.txt").read() == "mine"
    assert not os.path.exists(to + top + "/a.txt")


def test_a_link_on_the_way_to_a_live_file_is_not_followed(tmp_path):
    top, archive, outside = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar"), tmp_path / "outside"
    metadata = dump(archive, top).metadata
    outside.mkdir()
    (outside / "e.txt").write_text("precious")
    shutil.rmtree(top + "/keep")
    os.symlink(str(outside), top + "/keep")
    done = tool("load", archive, "--metadata", metadata, "--include", "keep/e.txt", "--keep")
    assert (outside / "e.txt").read_text() == "precious"
    assert done.code == 0, done.err
    assert open(top + "/keep/e.txt").read() == "old keep/e.txt"
    assert tool("undo", done.value("kept")).code == 0
    assert os.path.islink(top + "/keep")


@pytest.mark.skipif(not AS_ROOT, reason="mounting needs root")
def test_a_mount_point_is_restored_from_within(tmp_path):
    top, archive = str(tmp_path / "t"), str(tmp_path / "a.tar")
    os.mkdir(top)
    if subprocess.run(["mount", "-t", "tmpfs", "none", top], capture_output=True).returncode:
        pytest.skip("no mounting here")
    try:
        small_tree(top + "/x")
        small_tree(top + "/y")
        metadata = dump(archive, top).metadata
        shutil.rmtree(top + "/x")
        with open(top + "/y/a.txt", "w") as file:
            file.write("new")
        with open(top + "/extra", "w") as file:
            file.write("extra")
        os.chmod(top, 0o711)
        before = describe(top)
        done = tool("load", archive, "--metadata", metadata, "--keep")
        assert done.code == 0, done.err
        kept = done.value("kept")
        assert open(top + "/x/a.txt").read() == "old a.txt"
        assert open(top + "/y/a.txt").read() == "old a.txt"
        assert not os.path.exists(top + "/extra")
        assert os.stat(top).st_mode & 0o777 != 0o711
        assert tool("undo", kept).code == 0
        assert tool("discard", kept).code == 0
        after = describe(top)
        before[b"."].pop("mtime"), after[b"."].pop("mtime")
        assert before == after
    finally:
        run("umount", top)


@pytest.mark.skipif(not AS_ROOT, reason="mounting needs root")
def test_other_file_systems_are_left_out_on_request(tmp_path):
    top, archive = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar")
    if subprocess.run(["mount", "-t", "tmpfs", "none", top + "/keep"], capture_output=True).returncode:
        pytest.skip("no mounting here")
    try:
        with open(top + "/keep/inside", "w") as file:
            file.write("x")
        dump(archive, top)
        assert "keep/inside" in names_in(archive, top)
        metadata = dump(archive, top, "--one-file-system").metadata
        assert "keep/inside" not in names_in(archive, top) and "keep" in names_in(archive, top)
        preview = tool("load", archive, "--metadata", metadata, "--dry-run")
        assert any("mounted" in line for line in preview.values("conflict"))
    finally:
        run("umount", top + "/keep")


# ---- sizes and depths ----

def assert_bottom_is_back(top, depth):
    at = os.open(top, os.O_RDONLY)
    for number in range(depth):
        below = os.open("d%d" % number, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    assert os.listdir(at) == ["bottom"]
    os.close(at)


def test_very_deep_trees_come_back(tmp_path):
    top, archive = str(tmp_path / "deep"), str(tmp_path / "a.tar")
    os.mkdir(top)
    at = os.open(top, os.O_RDONLY)
    depth = 1500
    for number in range(depth):
        os.mkdir("d%d" % number, dir_fd=at)
        below = os.open("d%d" % number, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    result = tool("dump", archive, top, preexec_fn=lambda: __import__("resource").setrlimit(7, (200, 200)))
    assert result.code == 0 and not result.values("incomplete"), result.out
    assert json.loads(result.lines[0])["members"] == depth + 2
    os.unlink("bottom", dir_fd=at)
    os.close(at)
    done = tool("load", archive, "--metadata", result.lines[0])
    assert done.code == 0, done.err
    assert_bottom_is_back(top, depth)
    run("rm", "-rf", top)
    left = [name for name in os.listdir(tmp_path) if name.startswith(".kedge-")]
    assert not left


def test_a_wide_folder_needs_little_memory(tmp_path):
    top, archive = tmp_path / "wide", str(tmp_path / "a.tar")
    top.mkdir()
    for number in range(5000):
        (top / ("f%d" % number)).write_text(str(number))
    result = dump(archive, str(top))
    assert json.loads(result.metadata)["members"] == 5001


# ---- files that move while they are read ----

def test_a_growing_and_shrinking_file_is_reported_and_the_archive_is_whole(tmp_path):
    top, archive = tmp_path / "t", str(tmp_path / "a.tar")
    top.mkdir()
    stop = threading.Event()
    path = str(top / "restless")
    with open(path, "wb") as file:
        file.write(b"x" * (12 << 20))

    def trouble():
        while not stop.is_set():
            with open(path, "r+b") as file:
                file.truncate(5 << 20)
                file.truncate(12 << 20)
                file.write(b"changed")

    thread = threading.Thread(target=trouble)
    thread.start()
    try:
        reported = 0
        for _ in range(10):
            reported += len(dump(archive, str(top)).values("incomplete"))
            with tarfile.open(archive, errorlevel=2) as tar:
                for member in tar.getmembers():
                    if member.isfile():
                        assert len(tar.extractfile(member).read()) == member.size
            run("tar", "-tf", archive)
        assert reported
    finally:
        stop.set()
        thread.join()


@pytest.mark.skipif(AS_ROOT and not shutil.which("setpriv"), reason="root may read everything")
def test_an_unreadable_file_is_reported(tmp_path):
    top, archive = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar")
    os.chmod(top + "/a.txt", 0)
    os.chmod(top + "/keep", 0)
    os.chmod(tmp_path, 0o777)
    prefix = []
    if AS_ROOT:
        for folder, folders, names in os.walk(top):
            for name in [folder] + [os.path.join(folder, name) for name in folders + names]:
                os.chown(name, 65534, 65534)
        parent = str(tmp_path)
        while parent != "/tmp" and parent != "/":
            os.chmod(parent, 0o777)
            parent = os.path.dirname(parent)
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        copy = str(tmp_path / "tool")
        shutil.copy(TOOL, copy)
    else:
        copy = TOOL
    done = Result(subprocess.run(prefix + [copy, "dump", archive, top], capture_output=True))
    assert done.code == 0, done.err
    lines = "\n".join(done.values("incomplete"))
    assert "a.txt: Permission denied" in lines and "keep: Permission denied" in lines
    assert {"keep", "b.tmp"} <= names_in(archive, top)


def test_a_root_that_is_not_there_fails_the_backup(tmp_path):
    done = tool("dump", str(tmp_path / "a.tar"), str(tmp_path / "missing"))
    assert done.code == 1 and "missing" in done.err


# ---- hostile archives ----

def member(name, kind=tarfile.REGTYPE, content=b"", link="", **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def raw_sparse(name, real, text):
    info, _ = member(name)
    body = text.encode().ljust(512, b"\0")
    info.size = len(body)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name,
                        "GNU.sparse.realsize": str(real)}
    return info, body


SYM, HARD, CHR, BLK, DIR = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE)

# Name, members, and whether it has to be refused as a whole (else it must merely do no harm).
HOSTILE = {
    "absolute": ([member("/OUTSIDE/owned", content=b"x")], True),
    "climbs": ([member("../outside/owned", content=b"x")], True),
    "climbs inside": ([member("a/b/../../../outside/owned", content=b"x")], True),
    "climbs at the end": ([member("a/..", DIR)], True),
    "dot dot alone": ([member("..", DIR)], True),
    "long climbing pax path": ([member("a/" * 100 + "../" * 101 + "outside/owned", content=b"x")], True),
    "symlink then file through it": ([member("s", SYM, link="OUTSIDE"), member("s/owned", content=b"x")], True),
    "relative symlink then file": ([member("s", SYM, link="../outside"), member("s/owned", content=b"x")], True),
    "two symlinks then file": ([member("a", SYM, link="b"), member("b", SYM, link="OUTSIDE"),
                                member("a/owned", content=b"x")], True),
    "symlink then folder through it": ([member("s", SYM, link="OUTSIDE"), member("s/owned", DIR)], True),
    "symlink then link through it": ([member("s", SYM, link="OUTSIDE"), member("s/owned", SYM, link="x")], True),
    "symlink then fifo through it": ([member("s", SYM, link="OUTSIDE"), member("s/owned", tarfile.FIFOTYPE)], True),
    "symlink overwritten by a file": ([member("f", SYM, link="OUTSIDE/precious"), member("f", content=b"x")], None),
    "folder replaced by a symlink": ([member("d", DIR), member("d", SYM, link="OUTSIDE"),
                                      member("d/owned", content=b"x")], True),
    "folder times through a symlink": ([member("s", SYM, link="OUTSIDE"), member("s", DIR, mode=0o777)], None),
    "hard link to an absolute path": ([member("h", HARD, link="OUTSIDE/precious"), member("h", content=b"x")], True),
    "hard link that climbs": ([member("h", HARD, link="../outside/precious")], True),
    "hard link through a symlink": ([member("s", SYM, link="OUTSIDE"), member("h", HARD, link="s/precious")], True),
    "hard link to a symlink, then written": ([member("s", SYM, link="OUTSIDE/precious"), member("h", HARD, link="s"),
                                              member("h", content=b"x")], None),
    "hard link to nothing": ([member("h", HARD, link="nothing")], True),
    "hard link to itself": ([member("h", HARD, link="h")], True),
    "file beneath a file": ([member("f", content=b"x"), member("f/owned", content=b"x")], True),
    "file beneath a fifo": ([member("f", tarfile.FIFOTYPE), member("f/owned", content=b"x")], True),
    "character device": ([member("null", CHR, devmajor=1, devminor=3)], None),
    "block device": ([member("disk", BLK, devmajor=254, devminor=0)], None),
    "sparse of exabytes": ([raw_sparse("big", 1 << 62, "1\n%d\n0\n" % (1 << 62))], True),
    "sparse out of order": ([raw_sparse("big", 100000, "2\n5000\n0\n100\n0\n")], True),
    "sparse beyond its end": ([raw_sparse("big", 100, "1\n50\n100\n")], True),
    "sparse with a huge map": ([raw_sparse("big", 100, "99999999\n1\n1\n")], True),
    "empty name component": ([member("a//b", content=b"x")], None),
    "name with a NUL's worth of slashes": ([member("////", content=b"x")], True),
    "a very long name": ([member("n" * 300, content=b"x")], True),
    "the tree itself as a file": ([member(".", content=b"x")], None),
    "the tree itself as a symlink": ([member(".", SYM, link="OUTSIDE"), member("owned", content=b"x")], None),
    "negative owner": ([member("f", content=b"x", uid=-2)], True),
    "our own folders": ([member(".kedge-x/y", content=b"x"), member("plan", content=b"x"),
                         member("state", content=b"after"), member("later", content=b"x")], False),
}


def write_archive(path, members, outside):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            copy = tarfile.TarInfo(info.name.replace("OUTSIDE", outside))
            for key in ("type", "size", "mode", "devmajor", "devminor", "uid"):
                setattr(copy, key, getattr(info, key))
            copy.linkname = info.linkname.replace("OUTSIDE", outside)
            copy.pax_headers = dict(info.pax_headers)
            tar.addfile(copy, io.BytesIO(content))


@pytest.mark.parametrize("jobs", ["1", "3"])
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_archive_changes_nothing_outside(name, jobs, tmp_path):
    members, refused = HOSTILE[name]
    outside, to, archive = tmp_path / "outside", tmp_path / "to", str(tmp_path / "evil.tar")
    outside.mkdir()
    (outside / "precious").write_text("untouched")
    os.utime(outside, ns=(1, 1))
    write_archive(archive, members, str(outside))
    before = describe(outside)
    metadata = json.dumps({"roots": ["/"]})
    for more in ([], ["--metadata", metadata]):
        done = tool("load", archive, "--to", str(to), "--jobs", jobs, *more)
        assert describe(outside) == before
        assert done.code in (0, 1), done.err
        if refused is not None:
            assert (done.code == 1) == refused, done.err
        if done.code:
            assert not to.exists()
        devices = [entry for entry in describe(to).values() if "device" in entry] if to.is_dir() else []
        assert not devices
        if to.is_symlink() or to.is_file():
            to.unlink()
        elif to.exists():
            shutil.rmtree(to)
        assert sorted(os.listdir(tmp_path)) == ["evil.tar", "outside"]


def test_no_set_id_bit_without_its_owner(tmp_path):
    archive = str(tmp_path / "a.tar")
    write_archive(archive, [member("f", content=b"x", mode=0o6755, uid=0)], "")
    done = subprocess.run([TOOL, "load", archive, "--to", str(tmp_path / "to")], capture_output=True)
    assert done.returncode == 0
    mode = os.stat(tmp_path / "to" / "f").st_mode & 0o7777
    assert mode == (0o6755 if AS_ROOT else 0o755)


def test_names_that_differ_in_case_do_not_swallow_each_other(tmp_path):
    folder = tmp_path / "fold"
    folder.mkdir()
    if subprocess.run(["chattr", "+F", str(folder)], capture_output=True).returncode:
        pytest.skip("no file system here that folds case")
    archive = str(tmp_path / "a.tar")
    write_archive(archive, [member("Name", content=b"1"), member("name", content=b"2")], "")
    done = tool("load", archive, "--to", str(folder / "to"), "--metadata", '{"roots":["/"]}')
    assert done.code == 1 and "exists already" in done.err


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_members_that_become_fewer_entries_are_an_error(jobs, tmp_path):
    """As where a file system takes two folders' names for the same."""
    archive, to = str(tmp_path / "a.tar"), tmp_path / "to"
    folders = [member("t", DIR), member("t/same", DIR), member("t/same/x", content=b"1"),
               member("t/same", DIR), member("t/same/y", content=b"2")]
    write_archive(archive, folders, "")
    done = tool("load", archive, "--to", str(to), "--metadata", '{"roots":["/t"]}', "--jobs", jobs)
    assert done.code == 1 and "5 members became 4 files" in done.err
    assert os.listdir(tmp_path) == ["a.tar"]


def test_trees_that_lie_apart_and_in_one_another_come_back_beneath_a_folder(tmp_path):
    paths = [str(tmp_path / name) for name in ("deep/er/a", "deep/b", "deep/b/c")]
    for path in paths:
        os.makedirs(path)
        with open(path + "/f", "w") as file:
            file.write(path)
    archive, to = str(tmp_path / "a.tar"), str(tmp_path / "to")
    metadata = dump(archive, *paths).metadata
    done = tool("load", archive, "--to", to, "--metadata", metadata)
    assert done.code == 0, done.err
    for path in paths:
        assert open(to + path + "/f").read() == path


def test_a_file_takes_five_calls(tmp_path):
    """Open, write, look, set the time, close: nobody walks through the restored tree again."""
    calls = {}
    for count in (100, 300):
        top, archive = tmp_path / ("t%d" % count), str(tmp_path / "a.tar")
        top.mkdir()
        for i in range(count):
            (top / ("f%d" % i)).write_text("x")
        metadata = dump(archive, str(top)).metadata
        calls[count] = calls_of("load", archive, "--metadata", metadata, "--jobs", "1", "--to", str(tmp_path / "to"))
        shutil.rmtree(tmp_path / "to")
    assert calls[300] - calls[100] <= 200 * 5 + 10


def test_every_prefix_of_an_archive_is_refused_or_complete(tmp_path):
    top, archive, cut = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar"), str(tmp_path / "cut.tar")
    metadata = dump(archive, top).metadata
    with open(archive, "rb") as file:
        content = file.read()
    before = describe(top)
    for length in range(0, len(content) - 1024, 997):
        with open(cut, "wb") as file:
            file.write(content[:length])
        assert tool("load", cut, "--metadata", metadata).code == 1, length
        assert describe(top) == before


# ---- killed, and out of room, at every call ----

def calls_of(*args):
    done = subprocess.run([TOOL, *args], env=dict(os.environ, KEDGE_TEST_COUNT="1"), capture_output=True)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.decode().rsplit("calls: ", 1)[1])


def content_of(top):
    return {name: (entry.get("content"), entry.get("link"), entry["mode"]) for name, entry in describe(top).items()}


@pytest.mark.parametrize("way", ["whole", "merge"])
@pytest.mark.parametrize("fault", ["kill", "eio", "nospace"])
def test_the_target_is_as_before_or_as_the_backup(fault, way, tmp_path):
    top, archive = str(tmp_path / "t"), str(tmp_path / "a.tar")
    small_tree(top)
    metadata = dump(archive, top).metadata
    backup = content_of(top)
    changed = str(tmp_path / "changed")

    def change(path):
        shutil.rmtree(path + "/cache")
        with open(path + "/a.txt", "w") as file:
            file.write("new")

    run("cp", "-a", top, changed)
    change(changed)
    before = content_of(changed)
    if way == "merge":
        backup = dict(backup)
    patterns = ["--include", "**"] if way == "merge" else []
    args = ["load", archive, "--metadata", metadata, "--keep", "--jobs", "1", *patterns]

    def reset():
        shutil.rmtree(top)
        run("cp", "-a", changed, top)

    reset()
    calls = calls_of(*args)
    for name in os.listdir(tmp_path):
        if name.startswith(".kedge-"):
            shutil.rmtree(tmp_path / name)
    seen = set()
    for number in range(1, calls + 1, 1 if calls < 400 else 3):
        reset()
        done = tool(*args, fault="%s:%d" % (fault, number))
        # Where not even renaming back works any more, the run says so and leaves all for later.
        assert done.code != 23 or fault == "nospace", done.err
        kept = done.values("kept")
        left = [name for name in os.listdir(tmp_path) if name.startswith(".kedge-")]
        if done.code in (-signal.SIGKILL, 23):
            if not kept:
                # Killed before the swap was noted: the early note leads to the side folder.
                kept = [json.dumps({"engine": "files", "moment": 0, "sides": [
                    {"live": top, "base": str(tmp_path), "folder": ".kedge-01ARZ3NDEKTSV4RRFFQ69G5FAV-0",
                     "inside": False, "existed": True, "device": 0, "inode": 0}]})]
            recovered = tool("recover", kept[0])
            assert recovered.code == 0, recovered.err
            state = recovered.lines[0]
        else:
            state = "after" if done.code == 0 else "before"
            if state == "before":
                assert not left or fault == "eio", (number, done.err)
        now = content_of(top)
        assert now == (backup if state == "after" else before), (number, state, done.err)
        seen.add(state)
        if state == "after":
            assert tool("undo", kept[0]).code == 0
            assert content_of(top) == before, number
            assert tool("discard", kept[0]).code == 0
        for name in os.listdir(tmp_path):
            if name.startswith(".kedge-"):
                assert fault == "eio" or state == "before"
                shutil.rmtree(tmp_path / name)
    assert seen == {"before", "after"} or fault != "kill"


def test_an_undo_that_is_killed_can_be_finished(tmp_path):
    top, archive = str(tmp_path / "t"), str(tmp_path / "a.tar")
    small_tree(top)
    metadata = dump(archive, top).metadata
    backup = content_of(top)
    shutil.rmtree(top + "/cache")
    before = content_of(top)
    done = tool("load", archive, "--metadata", metadata, "--keep", "--include", "**")
    kept = done.value("kept")
    calls = calls_of("undo", kept)
    assert content_of(top) == before
    for number in range(1, calls + 1):
        assert tool("undo", kept).code == 0
        assert content_of(top) == backup
        tool("undo", kept, fault="kill:%d" % number)
        state = tool("recover", kept).lines[0]
        assert content_of(top) == (backup if state == "after" else before), number
        if state == "after":
            assert tool("undo", kept).code == 0
        assert content_of(top) == before


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, *sys.argv[1:]]))
