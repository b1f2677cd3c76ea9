"""virtio-net under Debian's kernel: by libslirp a file from a server of the host, names, a forwarded port; a tap
interface with its offloads. All of it in a network namespace of the test: nothing leaves the machine."""
import re
from pathlib import Path

import pytest

from tests.support import lab_run

MB = 1 << 20
HOST = Path(__file__).with_name("net_host.py")

USER = """
cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu
cat > /tmp/dhcp <<'EOS'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add $ip/24 dev $interface; ip route add default via $router
mkdir -p /etc; echo nameserver $dns > /etc/resolv.conf; echo lease $ip $router $dns
EOS
chmod +x /tmp/dhcp; ip link set lo up; ip link set eth0 up
until udhcpc -i eth0 -s /tmp/dhcp -q -n -f; do :; done
until nslookup some.test; do usleep 100000; done
mkdir -p /www; wget -q -O /www/page http://10.0.2.2:8099/file || exit 2
sha256sum /www/page
cd /sys/bus/virtio/drivers/virtio_net; count=/sys/class/net/eth0/statistics/rx_bytes; bytes=$(cat $count)
(until [ $(cat $count) -gt $((bytes + 10000)) ]; do :; done; echo virtio0 > unbind; echo virtio0 > bind) &
while kill -0 $! 2>/dev/null; do timeout 2 wget -q -O /dev/null http://10.0.2.2:8099/file; done; wait
until [ -d /sys/class/net/eth0 ]; do sleep 0.2; done
ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2
httpd -p 80 -h /www; echo; echo ready; nc -l -p 81 < /dev/null
"""

TAP = """
cat /sys/class/net/eth0/mtu /sys/class/net/eth0/carrier
ip link set eth0 up; ip addr add 10.9.0.2/24 dev eth0
cd /sys/class/net/eth0/statistics
for i in $(seq 20); do  # on a busy host segments are sent before they are long
    bytes=$(cat rx_bytes) packets=$(cat rx_packets); wget -q -O /tmp/file http://10.9.0.1:8099/file || exit 2
    received=$((($(cat rx_bytes) - bytes) / ($(cat rx_packets) - packets))); [ $received -le 1600 ] || break
done
sha256sum /tmp/file
for i in $(seq 20); do  # nc itself writes 1 KB at a time; cat hands the whole file to the kernel
    packets=$(cat tx_packets); nc 10.9.0.1 8100 -e sh -c 'cat /tmp/file; read -r thanks'
    sent=$((2000000 / ($(cat tx_packets) - packets))); [ $sent -le 1600 ] || break
done
echo "bytes a segment: $received received, $sent sent"
echo virtio0 > /sys/bus/virtio/drivers/virtio_net/unbind
"""


@pytest.fixture(scope="session")
def net_drivers(modules):
    return modules("virtio_mmio", "virtio_pci", "virtio_net")


def boot(linux, drivers, script, size, tap, forward, *options):
    command = linux.command("cloud", *drivers, *script, "-c", "2", *options, append="quiet test=guest")
    return lab_run("/usr/bin/python3", HOST, size, tap, forward, *command)


def test_user(linux, net_drivers, guest_script, soak):
    """An address, a name server of the user's choice, a server of the host, and one of the guest's own behind a
    forwarded port. The driver goes and comes again while frames are under way."""
    net = "user,forward=tcp:8080:80,forward=tcp:127.0.0.1:8081:81,dns=127.0.0.1,mac=52:54:00:01:02:03"
    result = boot(linux, net_drivers, guest_script(USER), soak(2 * MB, 100 * MB), "", 8080, "--net", net, "-m",
                  soak("256M", "512M"))
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0, result
    assert "52:54:00:01:02:03\n65520\n" in text and "lease 10.0.2.15 10.0.2.2 10.0.2.3" in text, result
    assert "192.0.2.7" in text, result
    data = re.search(r"data ([0-9a-f]{64})", text)[1]
    assert data + "  /www/page" in text and "fetched " + data in text, result
    assert "needs a reset" not in result.err, result


def test_tap(linux, net_drivers, guest_script):
    """An interface of the kernel, with long segments both ways whose checksums are still to be made. By PCI."""
    result = boot(linux, net_drivers, guest_script(TAP), 2 * MB, "vmm0", 0, "--net", "tap=vmm0", "--virtio", "pci")
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    assert result.status == 0 and "1500\n" in text, result
    data = re.search(r"data ([0-9a-f]{64})", text)[1]
    assert data + "  /tmp/file" in text and "sent " + data in text, result
    segments = re.search(r"bytes a segment: (\d+) received, (\d+) sent", text)
    assert int(segments[1]) > 1600 and int(segments[2]) > 1600, result


def test_refused(vmm, scratch):
    """What cannot be a network is said before anything starts."""
    for net, why in (("passt:%s" % (scratch / "none"), "No such file"), ("tap=" + 20 * "x", "at most 15 bytes"),
                     ("user,forward=tcp:80", "forward=tcp"), ("user,mac=01:00:00:00:00:00", "is not mac="),
                     ("bridge", "expected user")):
        result = lab_run(vmm.program, "-l", "--net", net, vmm.guest("hello"))
        assert result.status in (2, 125) and why in result.err, result
