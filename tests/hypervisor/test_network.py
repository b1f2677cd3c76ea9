"""net=host: the machine's network card on the guests' switch. The outside is a socket network of QEMU."""
import socket
import struct
import time

import pytest

from hvmachine import MODERN, QEMU12, archive_of, command, monitor, quit_machine, run, spawn, to_monitor

OUTSIDE = bytes.fromhex("020000000001")
KIND = 0x88b5  # an Ethernet type for experiments
FRAME = 1514


class Wire:
    """The other end of the machine's card: frames in UDP packets."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # keeps the card's port until QEMU has it too
        self.other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.other.bind(("127.0.0.1", 0))
        self.there = self.other.getsockname()

    def card(self, device="virtio-net-device", more=()):
        here = self.socket.getsockname()[1]
        return [*more, "-netdev", f"socket,id=n,udp=127.0.0.1:{here},localaddr=127.0.0.1:{self.there[1]}",
                "-device", f"{device},netdev=n,mac=52:54:00:aa:bb:cc"]

    def hand_over(self, child):
        """Gives the port to the machine alone, once it runs."""
        child.expect("OpenSBI")
        self.other.close()

    def send(self, payload, to=b"\xff" * 6):
        self.socket.sendto(to + OUTSIDE + struct.pack(">H", KIND) + payload, self.there)

    def frames(self, seconds):
        """The frames of KIND that arrive in that time: source and payload."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                frame = self.socket.recv(65536)
            except socket.timeout:
                return
            if struct.unpack(">H", frame[12:14])[0] == KIND:
                yield frame[6:12], frame[14:]


GUESTS = {"a": ("wire", {}, {"more": "net=host"}), "b": ("wire", {}, {"more": "net=host"}),
          "c": ("wire", {}, {"more": "net=other"})}


@pytest.mark.parametrize("card,machine", [("old", "virt"), ("new", "virt,aia=aplic-imsic")])
def test_frames_in_and_out(hypervisor, qemu, tmp_path, card, machine):
    """Two guests on the switch receive frames from the outside and from each other; one on another switch receives
    none."""
    wire = Wire()
    line = command(qemu, hypervisor, archive_of(tmp_path, GUESTS), "mux=lines", harts=2,
                   more=wire.card(more=MODERN if card == "new" else ()))
    line[line.index("virt")] = machine
    child = spawn(line)
    wire.hand_over(child)
    seen, heard, number, end = {}, set(), 0, time.monotonic() + 300
    while len(seen) < 2 or heard < {("a", "outside"), ("b", "outside"), ("a", "guest"), ("b", "guest")}:
        assert time.monotonic() < end, (seen, heard)
        wire.send(b"outside %04d" % number + bytes(FRAME - 14 - 12))
        number += 1
        for source, payload in wire.frames(0.3):
            assert payload.startswith(b"guest "), payload[:40]
            seen[source] = payload
        while child.expect([r"([abc]): wire: heard (outside|guest)", r"defect", r"[abc]: wire: still"]) == 0:
            heard.add(child.match.groups())
        assert child.match.group(0) != "defect"
    # The card's last three bytes, and the guest's number.
    assert {source.hex() for source in seen} == {"5256aabbcc01", "5256aabbcc02"}
    assert not {name for name, _ in heard} - {"a", "b"}
    quit_machine(child)
    assert "defect" not in child.before


def test_flood_from_outside(hypervisor, tmp_path):
    """An endless flood of frames of all sizes: the guest's neighbour keeps ticking, and the monitor answers."""
    wire = Wire()
    guests = {"a": ("wire", {}, {"more": "net=host"}), "tick": ("tick", {"TICKS": 1000000}, {})}
    child = spawn(command(QEMU12, hypervisor, archive_of(tmp_path, guests), "mux=lines", more=wire.card()))
    wire.hand_over(child)
    child.expect("a: wire: listens")
    for i in range(3000):
        wire.socket.sendto(bytes(6) * 2 + struct.pack(">H", KIND) + bytes(i % 1490), wire.there)
    child.expect(r"tick: tick \d+ at")
    child.expect(r"tick: tick \d+ at")
    to_monitor(child)
    child.send("destroy a\r")
    child.expect("vm a is gone")
    for i in range(500):
        wire.send(bytes(i))
    monitor(child, "create a kernel=a.elf base=0x80000000 mem=32M net=host")
    child.send("start a\r")
    end = time.monotonic() + 300
    wire.send(b"outside")
    while child.expect([r"a: wire: heard outside", "a: wire: still"]) != 0:
        assert time.monotonic() < end, "nothing was heard"
        wire.send(b"outside")
    quit_machine(child)
    assert "defect" not in child.before


def test_no_card(hypervisor, tmp_path):
    status, output = run(command(QEMU12, hypervisor, archive_of(tmp_path, {"a": GUESTS["a"]})))
    assert status == 1 and "hv: vm a: net=host: this machine has no virtio network card" in output
