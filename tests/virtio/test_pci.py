"""virtio over PCI: with a small test kernel; under Debian's kernel, disk, random bytes and a shared folder with MSI-X,
with resets of a function and of the machine; and with an interrupt line."""
import hashlib
import re

import pytest

MB = 1 << 20

# The first life marks the disk and reboots; the second finds the mark.
LIVES = """
cd /sys/bus/pci/devices; cat */device
grep -c PCI-MSI /proc/interrupts
if [ "$(dd if=/dev/vda bs=4 count=1 2>/dev/null)" != mark ]; then
    printf mark | dd of=/dev/vda conv=notrunc,fsync 2>/dev/null; reboot -f
fi
echo second life
for i in 1 2 3; do
    dd if=/dev/vda of=/dev/null bs=64k iflag=direct 2>/dev/null &
    echo 0000:00:01.0 > /sys/bus/pci/drivers/virtio-pci/unbind; wait
    echo 1 > 0000:00:01.0/reset; echo reset $?
    echo 0000:00:01.0 > /sys/bus/pci/drivers/virtio-pci/bind
done
until [ -b /dev/vda ]; do sleep 0.1; done
sha256sum < /dev/vda
head -c 64 /dev/hwrng | wc -c
mkdir /m; mount -t virtiofs share0 /m && cp /m/from-host /m/copy && sync; cat /m/copy
"""


@pytest.fixture(scope="session")
def pci_drivers(modules):
    return modules("virtio_pci", "virtio_blk", "virtio_rng", "virtiofs")


def test_a_kernel_of_its_own(vmm):
    """Configuration space by ports, a BAR moved over the guest's own code, MSI-X messages unmasked and masked, a
    reset."""
    result = vmm.run("--virtio", "pci", "--rng", "@pci")
    assert result.status == 33 and result.out == b"found\nmoved\nmessage\npending\nreset\n", result


def make_disk(path):
    data = b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(4 * MB // 64))
    path.write_bytes(data)
    return data


def test_two_lives(linux, pci_drivers, guest_script, scratch):
    data, shared = make_disk(scratch / "disk"), scratch / "shared"
    shared.mkdir()
    (shared / "from-host").write_text("by the shared folder\n")
    command = linux.command("cloud", *pci_drivers, *guest_script(LIVES), "--virtio", "pci", "-c", "2", "--reboot",
                            "--rng", "--disk", scratch / "disk", "--share", shared, append="quiet test=guest")
    result = linux.vmm.run(*command[1:])
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0 and text.count("second life") == 1 and text.count("reset 0\n") == 3, result
    assert text.count("0x0008\n0x1042\n0x105a\n0x1044\n") == 2, result
    assert all(int(count) >= 6 for count in re.findall(r"^(\d+)$", text, re.M)[:1]), result
    assert hashlib.sha256(b"mark" + data[4:]).hexdigest() in text and "\n64\n" in text, result
    assert (shared / "copy").read_text() == "by the shared folder\n" and "needs a reset" not in result.err, result


def test_a_line(linux, pci_drivers, scratch):
    """Without MSI-X each device has its own interrupt line."""
    data = make_disk(scratch / "disk")
    script = "sha256sum < /dev/vda; head -c 64 /dev/hwrng | wc -c; cat /proc/interrupts"
    result = linux.boot("cloud", *pci_drivers, "--virtio", "pci", "--disk", scratch / "disk", "--rng", run=script,
                        append="quiet pci=nomsi")
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0 and hashlib.sha256(data).hexdigest() in text and "\n64\n" in text, result
    lines = re.findall(r"^ *(1[67]): +(\d+) +IO-APIC +\d+-fasteoi", text, re.M)
    assert [line for line, count in lines if int(count) > 0] == ["16", "17"] and "PCI-MSI" not in text, result
