"""Sockets between a guest on Debian's kernel and the host, both ways."""
from pathlib import Path

import pytest

from tests.run.conftest import tree, words  # noqa: F401  (fixtures)
from tests.support import lab_run

HERE = Path(__file__).parent


@pytest.mark.parametrize("transport, clients", (("mmio", 60), ("pci", 3)))
def test_both_ways(words, transport, clients):  # noqa: F811
    """Parallel clients, one that does not read and one that sends nothing; a megabyte and its end; a port without a
    listener. The guest's writer gets an error when its reader has closed, and reads what that has sent before. The
    driver resets the device while connections are in use: they end, and new ones work."""
    command = words("-c", "2", "--virtio", transport, "--vsock", "7,unix:@SOCKET@", "--",
                    "/usr/bin/python3", HERE / "vsock_guest.py")
    result = lab_run("/usr/bin/python3", HERE / "vsock_host.py", str(clients), *command)
    assert result.status == 0 and result.out == b"all well\n", result


def test_refused(vmm):
    for value, why in (("unix:/x", "CID,unix:PATH"), ("2,unix:/x", "3 to 4294967294"), ("7,unix:", "CID,unix:PATH"),
                       ("7,tcp:1", "CID,unix:PATH"), ("7,unix:/nothing/v", "No such file")):
        result = lab_run(vmm.program, "-l", "--vsock", value, vmm.guest("hello"))
        assert result.status in (2, 125) and why in result.err, result
