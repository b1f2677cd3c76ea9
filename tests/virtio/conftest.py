"""Fixtures of the tests of virtio devices: the fixtures that boot Linux, and a ramdisk with the drivers."""
import subprocess

import pytest

from tests.linux.conftest import kernel, linux, ramdisk  # noqa: F401  (fixtures)
from tests.support import TOP


@pytest.fixture(scope="session")
def modules(kernel, ramdisk, tmp_path_factory):  # noqa: F811
    """modules(NAME..., name=KERNEL): the options that add those modules of a kernel, which init loads."""
    def get(*names, name="cloud"):
        kernel(name)
        ramdisk()
        layer = tmp_path_factory.mktemp("modules") / "modules.cpio"
        subprocess.run([TOP / "tools/kernels", "--modules", layer, name, *names], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
        return ["--initrd", layer]
    return get


KERNELS = ["cloud", *(pytest.param(name, marks=pytest.mark.full("Debian's other kernels"))
                      for name in ("generic", "debian13", "debian13-generic"))]


@pytest.fixture(scope="session")
def drivers(modules):
    """The drivers of disks and random bytes."""
    return modules("virtio_mmio", "virtio_blk", "virtio_rng")


@pytest.fixture(scope="session")
def guest_script(ramdisk, tmp_path_factory):  # noqa: F811
    """guest_script(TEXT): the options for a guest that runs it, with test=guest on its command line."""
    def get(text):
        ramdisk()
        folder = tmp_path_factory.mktemp("script")
        (folder / "script").write_text(text)
        with open(folder / "script.cpio", "wb") as archive:
            subprocess.run([TOP / "build/initramfs/pack"], input=b"dir /tests 755\nfile /tests/guest 644 script\n",
                           cwd=folder, stdout=archive, check=True)
        return ["--initrd", folder / "script.cpio"]
    return get
