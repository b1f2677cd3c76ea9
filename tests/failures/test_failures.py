"""Every broken guest gets the diagnosis in its source, which was written by hand; QEMU raises the same exceptions."""
import re

import pytest

from tests.failures.broken import Runs, all_guests, build

GUESTS, RUNS = all_guests(), Runs()


@pytest.fixture(scope="module", autouse=True)
def built():
    build()


@pytest.fixture
def guest(request):
    return request.param


def test_the_collection_is_one():
    assert len(GUESTS) >= 20 and {guest.mode for guest in GUESTS} == {"real", "protected", "long"}


@pytest.mark.parametrize("guest", GUESTS, ids=lambda g: g.name, indirect=True)
def test_diagnosis(vmm, guest):
    status, page = RUNS.of(vmm, guest, GUESTS)
    line = next((row for row in page.splitlines() if row.startswith("kvm-vmm: guest 0")), "")
    assert status == guest.status, page
    assert [phrase for phrase in guest.says if phrase not in line] == [], page
    if guest.fault:
        vector, error, _, cr2 = guest.fault
        address, name = guest.place()
        assert line.endswith(", at %#x%s" % (address, " <%s>" % name if name else "")), page
        assert re.search(r"\| +1\. .*, vector %d\b" % vector, page), page
        if error is not None:
            assert re.search(r"\| +1\. .*, vector %d, error code %#x$" % (vector, error), page, re.M), page
        if cr2 is not None:
            assert re.search(r"what failed: %#x$" % cr2, page, re.M), page


# In real mode QEMU logs only that an exception was raised; in the other modes also its delivery.
RAISED = re.compile(r"check_exception old: 0x(\w+) new 0x(\w+)")


@pytest.mark.parametrize("guest", [g for g in GUESTS if g.qemu], ids=lambda g: g.name, indirect=True)
def test_qemu_agrees(guest):
    log = guest.qemu_log()
    assert "Triple fault" in log, log[-3000:]
    taken = [(int(v, 16), int(e, 16)) for v, e in re.findall(r"v=(\w\w) e=(\w{4})", log)]
    if guest.mode == "real":
        assert chain_of(RAISED.findall(log)) == guest.chain, log[-3000:]
        return
    vector, _, _, cr2 = guest.fault
    assert [v for v, _ in taken] == guest.chain, log[-3000:]
    first = [row for row in log.splitlines() if "v=%02x " % vector in row][0]
    assert int(re.search(r"pc=(\w+)", first)[1], 16) == guest.place()[0], first
    if guest.qemu_error is not None:
        assert (vector, guest.qemu_error) in taken, first
    if cr2 is not None:
        assert int(re.search(r"CR2=(\w+)", first)[1], 16) == cr2, first


def chain_of(raised):
    """The exceptions in the order in which they were raised: one during another's delivery may become a double
    fault."""
    chain = []
    for old, new in ((int(a, 16), int(b, 16)) for a, b in raised):
        if old == 8:
            break
        contributory = {0, 10, 11, 12, 13}
        chain.append(8 if old in contributory and new in contributory else new)
    return chain
