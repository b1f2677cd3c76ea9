"""QEMU for HLeOs: its command line, its monitor, and the meaning of its status."""
import socket
import time
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parents[2]
HLEOS = TOP / "HLeOs/HLeOs"
BUILD = TOP / "build/hleos"
LIMIT = 1200         # seconds: a machine that runs longer hangs, also on a host twenty times slower than a quiet one
FS_SIZE = 8 << 20    # bytes of an image's file system
GOOD = 33            # (0x10 << 1) | 1: the tests passed
PANIC = 37


def qemu_command(image, serial, memory="128M", program="qemu-system-x86_64", extra=(), accelerator="tcg", cpu="max",
                 interface="ide"):
    """The guest's memory is not reserved: 64 GB need no host with so much memory."""
    cpu = "qemu32" if "i386" in program else cpu
    if "i386" not in program:
        extra = (*extra, "-object", "memory-backend-ram,id=ram,size=%s,reserve=off" % memory,
                 "-machine", "memory-backend=ram")
    return [program, "-accel", accelerator, "-cpu", cpu, "-m", memory, "-display", "none", "-no-reboot", "-nodefaults",
            "-vga", "std", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", serial,
            *(extra if "-fda" in extra else ("-drive", "file=%s,format=raw,if=%s" % (image, interface), *extra))]


class Screen:
    """QEMU's monitor: what is on the screen, and the keyboard."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + LIMIT
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < end, "QEMU's monitor does not answer"
                time.sleep(0.05)
        self.answer()

    def answer(self):
        text = b""
        while not text.endswith(b"(qemu) "):
            text += self.socket.recv(4096)
        return text.decode()

    def send(self, command):
        """Sends a command that may end the machine before it answers."""
        self.socket.sendall(command.encode() + b"\n")

    def do(self, command):
        self.send(command)
        return self.answer()

    def lines(self, file):
        """The 25 lines of the text page, from the guest's memory."""
        self.do("pmemsave 0xb8000 4000 \"%s\"" % file)
        cells = Path(file).read_bytes()[::2].decode("cp437")
        return [cells[i:i + 80].rstrip() for i in range(0, 2000, 80)]

    def shows(self, file, wanted):
        """Waits until wanted(lines) is true for the page, which is drawn row by row. Returns the last lines."""
        end = time.monotonic() + LIMIT
        while not wanted(lines := self.lines(file)) and time.monotonic() < end:
            time.sleep(0.05)
        return lines

    def page(self, file):
        """The cells of the text page, from the guest's memory: (character, attribute)."""
        self.do("pmemsave 0xb8000 4000 \"%s\"" % file)
        data = Path(file).read_bytes()
        return list(zip(data[::2], data[1::2]))

    def colours(self, file):
        """The set of colours in each cell of QEMU's picture, of 9 by 16 pixels."""
        self.do("screendump \"%s\"" % file)
        kind, size, _, points = Path(file).read_bytes().split(b"\n", 3)
        width, height = map(int, size.split())
        assert (kind, width, height) == (b"P6", 720, 400)
        lines = [points[y * width * 3:(y + 1) * width * 3] for y in range(height)]

        def cell(row, column):
            parts = (line[column * 27:column * 27 + 27] for line in lines[row * 16:row * 16 + 16])
            return {part[i:i + 3] for part in parts for i in range(0, 27, 3)}

        return [cell(row, column) for row in range(25) for column in range(80)]


def vga(colour):
    """One of the sixteen colours, with the VGA's six bits scaled to eight."""
    high = 0x57 if colour & 8 else 0
    red, green, blue = ((0xa8 if colour >> bit & 1 else 0) + high for bit in (2, 1, 0))
    return bytes((red, 0x57 if colour == 6 else green, blue))


def stop_at(screen, state):
    """Stops the machine while its first processor is in that state, as `info registers` prints it."""
    end = time.monotonic() + LIMIT
    screen.do("stop")
    while state not in screen.do("info registers"):
        assert time.monotonic() < end, state
        screen.do("cont")
        screen.do("stop")


def stop_in_program(screen):
    """Stops the machine while its first processor runs a program."""
    stop_at(screen, "CPL=3")


def nmi_in_abuse(serial, screen):
    """Sends an NMI while the program abuse is stopped: the panic reports the interrupted address, and ends the
    machine."""
    screen.do("nmi")
    screen.send("cont")
    serial.expect("non-maskable interrupt.*in program abuse at 0x4")
    serial.expect("KERNEL PANIC")
    serial.expect(pexpect.EOF)
    serial.close()
    assert serial.exitstatus == PANIC
