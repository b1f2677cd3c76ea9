"""What tells of a guest that is lost: its own word that it panicked, and a watchdog that it does not feed."""


def test_panic(linux, modules):
    """Without this a kernel that stays where it panicked would run until --timeout."""
    result = linux.boot("cloud", *modules("pvpanic-mmio"), "--pvpanic", "--timeout", "200", append="panic=0",
                        run="echo c > /proc/sysrq-trigger")
    assert result.status == 126 and "the kernel panicked" in result.err, result
    assert b"sysrq triggered crash" in result.out, result


def test_watchdog(linux, modules):
    """The driver finds it by the WDAT; fed it lets the guest live, stopped it does, too; then it is not fed."""
    script = ("set -e; cat /sys/class/watchdog/watchdog0/identity; watchdog -T 10 -t 1 -F /dev/watchdog & p=$!; "
              "while [ $(cat /sys/class/watchdog/watchdog0/state) != active ]; do sleep 0.1; done; sleep 1; "
              "kill $p; wait; cat /sys/class/watchdog/watchdog0/state; watchdog -T 2 -t 1000 -F /dev/watchdog")
    result = linux.boot("cloud", *modules("wdat_wdt"), "--watchdog", "stop", "--timeout", "200", run=script)
    assert result.status == 126 and "its watchdog expired: it was not fed for 2.0 s" in result.err, result
    assert b"wdat_wdt" in result.out and b"inactive" in result.out, result


EXPIRE = "watchdog -T 2 -t 1000 -F /dev/watchdog"


def test_watchdog_resets(linux, modules, scratch):
    """The guest starts again: its second life finds the mark that the first one has left on the disk."""
    (scratch / "disk").write_bytes(bytes(4096))
    script = "cmp -n 4 /dev/vda /init && exit 0; head -c 4096 /init > /dev/vda; sync; echo first life; " + EXPIRE
    result = linux.boot("cloud", *modules("wdat_wdt", "virtio_mmio", "virtio_blk"), "--watchdog", "reset", "--reboot",
                        "--disk", scratch / "disk", "--timeout", "200", run=script)
    assert result.status == 0 and result.out.count(b"first life") == 1, result


def test_watchdog_switches_off(linux, modules):
    result = linux.boot("cloud", *modules("wdat_wdt"), "--watchdog", "off", "--timeout", "200",
                        run="echo alive; " + EXPIRE)
    assert result.status == 0 and b"alive" in result.out, result
