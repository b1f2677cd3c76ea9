"""Unchanged images of Debian's packages, each to the output given in docs/foreign.md."""
import gzip

import pytest

from tests.foreign.conftest import BY_SERIAL, grub, reaches, shows, unpacked
from tests.linux.conftest import LAST, kernel  # noqa: F401  (a fixture)


@pytest.mark.full("Xen from Debian's archive")
def test_xen(vmm, scratch, kernel):  # noqa: F811
    """Xen starts by multiboot, calls a BIOS that does not exist, and runs Linux in its first domain. Without SMAP,
    since QEMU's TCG faults in an IRET of that domain."""
    package = "xen-hypervisor-4.17-amd64"
    image = scratch / "xen"
    image.write_bytes(gzip.decompress((unpacked(scratch, package) / "boot/xen-4.17-amd64.gz").read_bytes()))
    result = vmm.run(LAST, "--append", "console=com1 com1=115200,8n1", image)
    assert result.status == 0 and b"dom0 kernel not specified" in result.out, result
    reaches(vmm, "-m", "768M", "-c", 2, "--append", "console=com1 com1=115200,8n1 smap=off dom0=pv", "--initrd",
            "%s=vmlinuz console=hvc0 earlyprintk=xen" % kernel("generic"), image,
            words=["Brought up 2 CPUs", "Dom0 has maximum 2 VCPUs", "Linux version", "Command line: console=hvc0"])


@pytest.mark.full("Debian's installer from its archive")
def test_the_installer(vmm, scratch, soak):
    """The installer's programs run; in `make soak` up to its first question, which takes twice as long. With less
    memory it would first recommend a swap space."""
    folder = unpacked(scratch, "debian-installer-12-netboot-amd64") / "usr/lib/debian-installer/images/12/amd64/text"
    image = folder / "debian-installer/amd64"
    reaches(vmm, "-m", "1G", "--append", "console=ttyS0 quiet DEBIAN_FRONTEND=text", "--initrd", image / "initrd.gz",
            image / "linux", words=["Starting system log daemon", *soak([], ["Prompt: '?' for help"])])


@pytest.mark.full("GRUB's core images")
def test_grub_by_multiboot(vmm, scratch):
    """GRUB's image for a BIOS has a multiboot header. It finds no disk, and prints its prompt on the serial port."""
    core = grub(scratch, "i386-pc", BY_SERIAL + "echo GRUB runs\n", "serial", "terminal", "echo", "normal")
    reaches(vmm, core, words=["GRUB runs", "grub> "])


@pytest.mark.full("GRUB for Xen from Debian's archive")
def test_grub_by_pvh(vmm, scratch):
    """GRUB first checks for Xen's hypercalls, and halts without them."""
    folder = unpacked(scratch, "grub-xen-bin") / "usr/lib/grub/i386-xen_pvh"
    result = vmm.run(LAST, grub(scratch, "i386-xen_pvh", "echo GRUB runs\n", "echo", where=folder))
    assert (result.status, result.out) == (0, b"") and "halted before it printed anything" in result.err, result


@pytest.mark.full("GRUB Invaders from Debian's archive")
def test_a_game(vmm, scratch):
    """A multiboot kernel that uses only the text screen."""
    image = unpacked(scratch, "grub-invaders") / "boot/invaders.exec"
    shows(vmm, image, word="-*-")
