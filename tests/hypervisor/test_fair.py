"""The scheduling of vCPUs on harts. Measured in the emulated machine's time (-icount), which the host's load does not
change."""
import re

import pytest

from hvmachine import COUNTED, QEMU12, archive_of, command, cpio, ends_well, is_old, monitor, run, spawn, to_monitor
from test_linux import BASE, linux  # noqa: F401


def spinner(seconds=2, harts=1, more=""):
    return "spin", {"SECONDS": seconds, "HARTS": harts}, {"mem": "8M", "cpus": harts, "more": more}


def rounds(hypervisor, folder, guests, qemu=QEMU12, **files):
    """The rounds of each guest named s... in its time. On one hart, since with -icount the order of several is
    arbitrary."""
    folder.mkdir(exist_ok=True)
    line = command(qemu, hypervisor, archive_of(folder, guests, **files), "mux=lines", more=COUNTED)
    child = spawn(line)
    found = {}
    while len(found) < sum(name.startswith("s") for name in guests):
        child.expect(r"(s\w*): spin: (\d+) rounds")
        found[child.match.group(1)] = int(child.match.group(2))
    child.close(force=True)
    return found


@pytest.fixture(scope="session")
def whole(hypervisor, tmp_path_factory):
    """The rounds of a spinner that has a hart to itself."""
    return rounds(hypervisor, tmp_path_factory.mktemp("whole"), {"s": spinner()})["s"]


@pytest.mark.parametrize("spinners", [0, 1, 4, 8])
def test_a_timer_is_on_time_beside_spinners(hypervisor, qemu, tmp_path, spinners):
    if qemu is not QEMU12 and spinners < 8:
        pytest.skip("the hardest on the other emulator is enough")
    guests = {"late": ("late", {}, {"mem": "8M"}), **{f"s{i}": spinner(3) for i in range(spinners)}}
    child = spawn(command(qemu, hypervisor, archive_of(tmp_path, guests), "mux=lines", more=COUNTED))
    child.expect(r"late by (\d+) us on average, (\d+) us at worst")
    assert int(child.match.group(2)) < 500, child.match.group(0)
    child.close(force=True)


def test_loading_is_the_rebooters_time(hypervisor, qemu, whole, tmp_path):
    if qemu is not QEMU12:
        whole = rounds(hypervisor, tmp_path / "alone", {"s": spinner()}, qemu)["s"]
    guests = {"s": spinner(), "again": ("again", {}, {"mem": "64M", "more": "initrd=big"})}
    assert 0.45 < rounds(hypervisor, tmp_path, guests, qemu, big=bytes(40 << 20))["s"] / whole < 0.6


def test_what_a_device_does_is_its_guests_time(hypervisor, whole, tmp_path):
    flood = "flood", {"DISK": 1, "RAM": "0x4000000u"}, {"mem": "64M", "more": "disk=image"}
    guests = {"s": spinner(), "flood": flood}
    assert rounds(hypervisor, tmp_path, guests, image=bytes(8 << 20))["s"] > 0.45 * whole


def test_the_image_of_a_disk_is_copied_in_steps(hypervisor, tmp_path):
    """At the guest's boot, and for its clones."""
    guests = {"late": ("late", {}, {"mem": "8M"}), "forks": ("forks", {}, {"mem": "8M", "more": "clones=3 disk=image"})}
    initrd = archive_of(tmp_path, guests, image=bytes(20 << 20))
    child = spawn(command(QEMU12, hypervisor, initrd, "mux=lines", more=COUNTED))
    for number in range(4):
        child.expect(r"forks\S*: forks: number \d, with what was known")
    child.expect(r"late by (\d+) us on average, (\d+) us at worst")
    assert int(child.match.group(2)) < 500, child.match.group(0)
    ends_well(child)


def test_weights(hypervisor, whole, tmp_path):
    got = rounds(hypervisor, tmp_path, {"s1": spinner(), "s3": spinner(more="weight=300")})
    assert 0.70 < got["s3"] / whole < 0.78 and 0.23 < got["s1"] / whole < 0.28


def stolen(hypervisor, folder, pins):
    """The per cent of two seconds, in which all guests ran, that each of them waited for one of two harts. From the
    scheduler's own figures, which do not include a hart's waiting for the host. The guests print it each half second,
    for ever."""
    often = {"WINDOW": 5000000, "WINDOWS": "~0ul"}
    guests = {f"s{i}": ("stolen", often, {"more": pin}) for i, pin in enumerate(pins)}
    child = spawn(command(QEMU12, hypervisor, archive_of(folder, guests), "mux=lines", harts=2))

    def said():
        child.expect(r"s(\d): stolen: (\d+) % were stolen")
        return int(child.match.group(1)), int(child.match.group(2))
    not_begun = set(range(len(pins)))
    while not_begun:
        not_begun.discard(said()[0])
    found = [[] for _ in pins]
    while min(map(len, found)) < 5:
        number, share = said()
        found[number].append(share)
    child.close(force=True)
    return [sum(shares[1:5]) / 4 for shares in found]  # the first half second may have begun before all ran


def test_three_on_two_harts(hypervisor, tmp_path):
    got = stolen(hypervisor, tmp_path, ["", "", ""])
    # A third each; more on a busy host. Without migration between harts it would be a half, a half and nothing.
    assert min(got) > 12 and max(got) < 75, got


def test_pinned(hypervisor, tmp_path):
    """Two on one hart, one with a hart of its own."""
    alone, *shared = stolen(hypervisor, tmp_path, ["harts=0", "harts=1", "harts=1"])
    assert alone < 25 and min(shared) > 30, (alone, shared)


def test_pinned_to_what_is_not_there(hypervisor, tmp_path):
    status, output = run(command(QEMU12, hypervisor, archive_of(tmp_path, {"s": spinner(more="harts=5")})))
    assert status == 1 and "hv: vm s: harts= names none of the 1 harts here" in output, output[-1500:]


def test_stolen_time_is_shown(hypervisor, tmp_path):
    initrd = archive_of(tmp_path, {"stolen": ("stolen", {}, {}), "s": spinner(10)})
    child = spawn(command(QEMU12, hypervisor, initrd, "mux=lines", more=COUNTED))
    child.expect(r"stolen: (\d+) % were stolen")
    assert 45 <= int(child.match.group(1)) <= 55
    child.expect(r"stolen: done: 11 met, 0 missed")
    child.close(force=True)


def test_waiting_for_a_lock_gives_the_hart_away(hypervisor, qemu, tmp_path):
    """wrs.nto traps if harts are scarce; a spinner runs in between."""
    if is_old(qemu):
        pytest.skip("QEMU 7.2 has no Zawrs")
    initrd = archive_of(tmp_path, {"wrs": ("wrs", {"ROUNDS": 200}, {"cpus": 2})})
    status, output = run(command(qemu, hypervisor, initrd, cpu="max", more=COUNTED))
    assert status == 0 and "defect" not in output, output[-1500:]
    assert int(re.search(r"400 hand-overs took (\d+) us", output).group(1)) < 400 * 100  # a slice is 4000 us


@pytest.mark.parametrize("guest", ["flood console", "flood disk", "again", "random"])
def test_interrupts_are_never_off_for_long(hypervisor, tmp_path, guest):
    """At most 100 us of the emulated machine's time, whatever a guest calls: 50,000 instructions."""
    files = {"big": bytes(8 << 20)}
    flood = {"RAM": "0x4000000u"}
    name, defines, keys = {
        "flood console": ("flood", {"DISK": 0, **flood}, {"mem": "64M"}),
        "flood disk": ("flood", {"DISK": 1, **flood}, {"mem": "64M", "more": "disk=big"}),
        "again": ("again", {}, {"mem": "64M", "more": "initrd=big"}),
        "random": ("random", {"SEED": 1}, {"mem": "16M", "cpus": 2})}[guest]
    initrd = archive_of(tmp_path, {"guest": (name, defines, keys), "s": spinner(1)}, **files)
    child = spawn(command(QEMU12, hypervisor, initrd, "mux=lines", more=COUNTED))
    child.expect(r"s: spin: \d+ rounds")
    to_monitor(child)
    longest = re.search(r"interrupts off for (\d+) us at most", monitor(child, "exits s"))
    child.close(force=True)
    assert int(longest.group(1)) <= 100


@pytest.mark.parametrize("harts,cpu,more", [(1, "rv64", ""), (2, "rv64,sstc=off", ""), (1, "max", ""), (2, "max", ""),
                                            (1, "rva23s64", ""), (2, "rv64", "aia=aplic-imsic")])
def test_crowded_linux(hypervisor, linux, qemu, tmp_path, harts, cpu, more):  # noqa: F811
    """Four vCPUs on one hart and on two. Without Sstc every timer is an SBI call, also to the firmware for the
    hypervisor's own. `max` has hstateen0 and henvcfg bits to enable, and vectors; `rva23s64` has only Sv39x4, and traps
    for A and D."""
    if is_old(qemu) and cpu in ("max", "rva23s64"):
        pytest.skip("QEMU 7.2 has no such harts")
    manifest = f'vm linux cpus=4 mem=192M kernel=Image initrd=initrd args="{BASE} test=cpus"\n'
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "Image": linux / "Image", "initrd": linux / "initrd"})
    line = command(qemu, hypervisor, initrd, harts=harts, cpu=cpu)
    line[line.index("virt")] = f"virt,{more}" if more else "virt"
    status, output = run(line)
    assert status == 0 and "cpus: nproc 4\n" in output, output[-2000:]
    isa = set(re.search(r"^cpus: isa.*: (rv64\S+)", output, re.M).group(1).split("_"))
    if cpu in ("max", "rva23s64"):
        assert {"zicboz", "sstc", "zicbom"} <= isa  # these need hstateen0.ENVCFG and henvcfg
