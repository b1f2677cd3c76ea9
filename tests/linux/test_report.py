"""--boot-report, and the cache of unpacked kernels, whose use it reports."""
import re

from tests.support import lab_run

PHASES = ["process", "files read", "VM created", "kernel loaded", "guest entered", "first console byte",
          "first line of init", "end"]
QUIET_EXITS = 1000  # to the VMM until init prints, with a quiet console
KEPT = "the next start finds it in"


def boot(linux, cache, *options, status=0):
    command = linux.command("cloud", "--boot-report", *options, run="true")
    result = lab_run("env", "XDG_CACHE_HOME=%s" % cache, *command)
    assert result.status == status, result
    return result


def load(linux, cache):
    """Runs until the kernel's first exit: the report has the use of the cache by then."""
    return boot(linux, cache, "--max-exits=1", status=124)


def test_phases(linux, scratch):
    """Each phase is listed, none begins before its predecessor, and exits only grow."""
    result = boot(linux, scratch)
    assert b"init: status 0" in result.out, result
    rows = re.findall(r"^  phase (.+?) +([\d.]+) +([\d.]+) +(\d+)$", result.err, re.M)
    assert [row[0] for row in rows] == PHASES
    moments, exits = [float(row[2]) for row in rows], [int(row[3]) for row in rows]
    assert moments == sorted(moments) and exits == sorted(exits)
    assert 0 < exits[PHASES.index("first line of init")] < QUIET_EXITS


def test_cache(linux, scratch):
    """A kernel is unpacked once; a changed file is replaced. Files of a killed writer are removed."""
    (scratch / "mini-kvm").mkdir(mode=0o700)
    (scratch / "mini-kvm/.kernel-0.99999999").write_bytes(b"half a kernel")  # no process has that number
    assert KEPT in load(linux, scratch).err
    [kernel] = (scratch / "mini-kvm").glob("kernel-*")
    good = kernel.read_bytes()
    assert KEPT not in load(linux, scratch).err
    kernel.write_bytes(good[:9000000] + bytes([good[9000000] ^ 1]) + good[9000001:])
    assert KEPT in load(linux, scratch).err
    assert kernel.read_bytes() == good
    assert sorted((scratch / "mini-kvm").iterdir()) == [kernel, scratch / "mini-kvm/secret"]


def test_the_secret_of_the_cache(linux, scratch):
    """A secret that others may read, or that is too short, is replaced, and the kernels are stored again."""
    secret = scratch / "mini-kvm/secret"
    assert KEPT in load(linux, scratch).err
    first = secret.read_bytes()
    assert len(first) == 16 and secret.stat().st_mode & 0o777 == 0o600
    secret.chmod(0o644)
    assert KEPT in load(linux, scratch).err
    second = secret.read_bytes()
    secret.write_bytes(second[:5])
    assert KEPT in load(linux, scratch).err
    assert len({first, second, secret.read_bytes()}) == 3 and secret.stat().st_mode & 0o777 == 0o600


def test_no_cache(linux, scratch):
    """If no file can be stored, only time is lost."""
    (scratch / "file").write_text("not a folder", encoding="utf-8")
    assert "cannot be written" in load(linux, scratch / "file").err


def test_own_decompressor_is_named(linux, scratch):
    result = boot(linux, scratch, "--kernel-entry=32")
    assert "unpacked itself" in result.err and b"init: status 0" in result.out, result
