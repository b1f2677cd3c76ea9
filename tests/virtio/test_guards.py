"""Devices that detect a failed guest: pvpanic, by which it reports a panic, and a watchdog that it does not feed."""
import pytest

EXPIRE = "watchdog -T 2 -t 1000 -F /dev/watchdog"


def test_watchdog(linux, modules):
    """The driver finds the watchdog by the WDAT; each feed restarts its count; stopped, it does not end the guest; then
    it is started and not fed."""
    script = ("set -e; cd /sys/class/watchdog/watchdog0; cat identity; watchdog -T 1000 -t 2 -F /dev/watchdog & p=$!; "
              "while [ $(cat state) != active ]; do usleep 100000; done; "
              "for i in 1 2; do a=$(cat timeleft); "  # the first time its period may just have been set
              "while b=$(cat timeleft); [ $b -le $a ]; do a=$b; usleep 100000; done; done; "
              "kill $p; wait; cat state; " + EXPIRE)
    result = linux.boot("cloud", *modules("wdat_wdt"), "--watchdog", "stop", run=script)
    assert result.status == 126 and "its watchdog expired: it was not fed for 2.0 s" in result.err, result
    assert b"wdat_wdt" in result.out and b"inactive" in result.out, result


def test_two_lives(linux, modules, scratch):
    """The watchdog restarts the guest: its second life finds the mark of the first one on the disk, and panics. Without
    pvpanic a kernel that halts in its panic would run until --timeout."""
    (scratch / "disk").write_bytes(bytes(4096))
    script = ("cmp -n 4 /dev/vda /init && echo c > /proc/sysrq-trigger; head -c 4096 /init > /dev/vda; sync; "
              "echo first life; " + EXPIRE)
    result = linux.boot("cloud", *modules("wdat_wdt", "virtio_mmio", "virtio_blk", "pvpanic-mmio"), "--pvpanic",
                        "--watchdog", "reset", "--reboot", "--disk", scratch / "disk", run=script,
                        append="quiet panic=0")
    assert result.status == 126 and "the kernel panicked" in result.err, result
    assert result.out.count(b"first life") == 1 and b"sysrq triggered crash" in result.out, result


@pytest.mark.full("another end of the same watchdog")
def test_watchdog_switches_off(linux, modules):
    result = linux.boot("cloud", *modules("wdat_wdt"), "--watchdog", "off", run="echo alive; " + EXPIRE)
    assert result.status == 0 and b"alive" in result.out, result
