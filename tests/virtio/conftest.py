"""Fixtures of the tests of virtio devices: what boots Linux, and a ramdisk with the drivers."""
import subprocess

import pytest

from tests.linux.conftest import kernel, linux, ramdisk  # noqa: F401  (fixtures)
from tests.support import TOP

DRIVERS = ("virtio_mmio", "virtio_blk", "virtio_rng")


@pytest.fixture(scope="session")
def drivers(kernel, ramdisk, tmp_path_factory):  # noqa: F811
    """The options that give the cloud kernel its drivers, for init to load."""
    kernel("cloud")
    ramdisk()
    layer = tmp_path_factory.mktemp("modules") / "modules.cpio"
    subprocess.run([TOP / "tools/kernels", "--modules", layer, "cloud", *DRIVERS], check=True, stdin=subprocess.DEVNULL,
                   capture_output=True)
    return ["--initrd", layer]
