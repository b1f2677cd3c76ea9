"""A kernel that cannot be booted gives one line of error before anything starts, and status 125."""
import pytest

from tests.linux import collision
from tests.support import lab_run

HEADER = 0x1F1  # of a bzImage: Linux, Documentation/arch/x86/boot.rst


def refused(vmm, *args):
    """The one line with which a run ends."""
    result = lab_run(vmm.program, "--timeout=120", *args)
    assert result.status == 125, result
    assert result.out == b"", result
    assert result.err.startswith("kvm-vmm: ") and result.err.count("\n") == 1, result
    return result.err


@pytest.fixture
def image(kernel, scratch):
    """image(NAME, CHANGE): a copy of a kernel, changed by the function CHANGE."""
    def make(name, change):
        copy = bytearray(kernel(name).read_bytes())
        path = scratch / "kernel"
        path.write_bytes(change(copy) or copy)
        return path
    return make


@pytest.mark.parametrize("name, memory", [("cloud", "64M"), ("generic", "64M"), ("i686", "16M"), ("cloud.elf", "20M")])
def test_too_little_memory(vmm, kernel, name, memory):
    assert "(-m)" in refused(vmm, "-m", memory, kernel(name))


# The damage, and a word of the message about it.
DAMAGE = {
    "cut in the header": ("cloud", lambda image: image[:0x220], "short"),
    "cut in the setup code": ("cloud", lambda image: image[:0x1000], "short"),
    "cut in the middle": ("cloud", lambda image: image[:len(image) // 2], "short"),
    "an old protocol": ("cloud", lambda image: image.__setitem__(slice(0x206, 0x208), b"\x00\x02"), "protocol"),
    "payload outside": ("cloud", lambda image: image.__setitem__(slice(0x248, 0x24c), b"\xff\xff\xff\x7f"), "outside"),
    "loaded at 0": ("cloud", lambda image: image.__setitem__(slice(0x258, 0x260), bytes(8)), ""),
    "needs everything": ("cloud", lambda image: image.__setitem__(slice(0x260, 0x264), b"\xff\xff\xff\xff"), "memory"),
    "ELF cut": ("cloud.elf", lambda image: image[:100000], ""),
    "ELF segment table outside": ("cloud.elf", lambda image: image.__setitem__(slice(0x20, 0x28), b"\xff" * 8), ""),
    "ELF segment outside": ("cloud.elf", lambda image: image.__setitem__(slice(0x60, 0x68), b"\xff" * 8), ""),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_kernel(vmm, image, what):
    name, change, word = DAMAGE[what]
    assert word in refused(vmm, "-m", "256M", image(name, change))


def flip(image):
    """Flips a bit in the middle of the packed kernel."""
    image[len(image) // 2] ^= 0x10


@pytest.mark.parametrize("name", ["cloud", "generic"])
def test_flipped_bit(vmm, image, name):
    """The packed kernel's checksum or format does not match any more."""
    refused(vmm, "-m", "256M", image(name, flip))


def test_ramdisk_larger_than_memory(vmm, kernel, scratch):
    with open(scratch / "large", "wb") as large:
        large.truncate(300 << 20)
    assert "ramdisk" in refused(vmm, "-m", "256M", "--initrd", scratch / "large", kernel("cloud"))


def test_ramdisk_that_is_not_there(vmm, kernel, scratch):
    assert "nothing" in refused(vmm, "--initrd", scratch / "nothing", kernel("cloud"))
    assert refused(vmm, "--initrd", scratch, kernel("cloud"))


@pytest.mark.parametrize("name", ["cloud", "cloud.elf"])
def test_command_line_too_long(vmm, kernel, name):
    assert "command line" in refused(vmm, "-m", "256M", "--append", "x" * 70000, kernel(name))


def test_a_crafted_kernel_does_not_answer_for_another(vmm, scratch):
    """Not even if the two have the same sum without the cache's secret."""
    kernels = dict(zip(("good", "bad"), collision.make(b"the trusted kernel\n", b"a hostile kernel\n")))
    for name, said in [("bad", b"a hostile kernel\n"), ("good", b"the trusted kernel\n")] * 2:
        (scratch / name).write_bytes(kernels[name])
        result = lab_run("env", "XDG_CACHE_HOME=%s" % scratch, vmm.program, "--timeout=120", scratch / name)
        assert (result.status, result.out) == (0, said), result
    assert len(list((scratch / "mini-kvm").glob("kernel-*"))) == 2
