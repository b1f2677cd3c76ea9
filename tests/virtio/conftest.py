"""Fixtures of the tests of virtio devices: what boots Linux, and a ramdisk with the drivers."""
import subprocess

import pytest

from tests.linux.conftest import kernel, linux, ramdisk  # noqa: F401  (fixtures)
from tests.support import TOP


@pytest.fixture(scope="session")
def modules(kernel, ramdisk, tmp_path_factory):  # noqa: F811
    """modules(NAME...): the options that give the cloud kernel those modules, for init to load."""
    def get(*names):
        kernel("cloud")
        ramdisk()
        layer = tmp_path_factory.mktemp("modules") / "modules.cpio"
        subprocess.run([TOP / "tools/kernels", "--modules", layer, "cloud", *names], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
        return ["--initrd", layer]
    return get


@pytest.fixture(scope="session")
def drivers(modules):
    """Disks and random bytes."""
    return modules("virtio_mmio", "virtio_blk", "virtio_rng")
