"""Fixtures of the tests of kvm-vmm run."""
import functools
import subprocess

import pytest

from tests import support
from tests.support import TOP

LIMIT = 960  # seconds of a run
LAST = "--timeout", str(LIMIT - 60)  # ends a guest that hangs
lab_run = functools.partial(support.lab_run, limit=LIMIT)


@pytest.fixture(scope="session")
def tree():
    """A kernel beside its modules, as a package installs them."""
    done = subprocess.run([TOP / "tools/kernels", "--tree", "cloud"], check=False, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    return done.stdout.strip()


@pytest.fixture
def words(vmm, tree):
    """words(...): the command line of `kvm-vmm run` with these options and command."""
    return lambda *rest: [vmm.program, "run", "--kernel", tree, *LAST, *rest]
