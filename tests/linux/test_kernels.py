"""Debian's kernels from 5.10 to the newest: cloud, generic, real time, 32 bits. FULL=1 boots each; `make soak` with one
and two vCPUs and by each entry."""
import re

import pytest

from tests.conftest import SOAK

MEMORY = {"debian11": "128M", "debian11-generic": "256M", "backports": "160M", "rt": "256M", "debian13-generic": "320M",
          "newest": "192M", "i686-pae": "160M"}  # what each needs, and some
KERNELS = ["debian11", "debian11-generic", "rt", "i686-pae", "backports", "debian13-generic", "newest"]
ENTRIES = {"own": [], "decompressor": ["--kernel-entry", "32"], "pvh": ["--kernel-entry", "pvh"]}
MATRIX = [(name, cpus, entry) for name in KERNELS + ["cloud", "generic", "debian13", "i686"] for cpus in (1, 2)
          for entry in ENTRIES]


@pytest.mark.full("kernels of four releases")
@pytest.mark.parametrize("name, cpus, entry", MATRIX if SOAK else [(name, 2, "own") for name in KERNELS])
def test_a_kernel(linux, name, cpus, entry):
    """It idles for a while and switches itself off."""
    result = linux.boot(name, "-c", cpus, *ENTRIES[entry], memory=MEMORY.get(name, "256M"),
                        run="nproc; sleep 1; ! dmesg | grep 'cut [h]ere'")
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0 and re.search(r"^%d$" % cpus, text, re.M) and "init: status 0" in text, result
