"""Debian's kernels from 5.10 to the newest: cloud, generic, real time. FULL=1 boots each; `make soak` with one
and two vCPUs and by each entry."""
import re

import pytest

from tests.conftest import SOAK
from tests.support import lab_run

KERNELS = ["debian11", "debian11-generic", "rt", "backports", "debian13-generic", "newest"]
ENTRIES = {"own": [], "decompressor": ["--kernel-entry", "32"], "pvh": ["--kernel-entry", "pvh"]}
MATRIX = [(name, cpus, entry) for name in KERNELS + ["cloud", "generic", "debian13", "i686"] for cpus in (1, 2)
          for entry in ENTRIES]


@pytest.mark.full("kernels of four releases")
@pytest.mark.parametrize("name, cpus, entry", MATRIX if SOAK else [(name, 2, "own") for name in KERNELS])
def test_a_kernel(linux, name, cpus, entry):
    """It idles for a while and switches itself off."""
    command = linux.command(name, "-c", cpus, "--timeout=800", *ENTRIES[entry], memory="512M",
                            run="nproc; sleep 1; ! dmesg | grep 'cut [h]ere'")
    result = lab_run(*command, limit=900)
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0 and re.search(r"^%d$" % cpus, text, re.M) and "init: status 0" in text, result
