"""Reports the state of a machine that does not end: each hart's registers from QEMU's monitor, its pc as a symbol."""
import re
import socket
import subprocess
import time

PROMPT = b"(qemu) "
OFTEN = 3  # samples: only several show whether a hart waits or runs in a loop
TOLD = ("V pc mip mie mideleg hideleg hstatus vsstatus sepc scause vsepc vscause x1/ra x2/sp x10/a0 x16/a6 "
        "x17/a7").split()


def with_monitor(line, path):
    """Adds a monitor at the socket `path` to the command `line`, if it has none."""
    at = line.index("-monitor") + 1 if "-monitor" in line else 0
    return [*line[:at], f"unix:{path},server=on,wait=off", *line[at + 1:]] if at and line[at] == "none" else line


def functions(path):
    """(address, name) of an ELF file's functions, lowest first."""
    told = subprocess.run(["nm", "-n", path], capture_output=True, text=True, check=True).stdout
    return [(int(address, 16), name) for address, name in re.findall(r"^(\w+) [tT] (\S+)$", told, re.M)]


def named(symbols, address):
    """`name+offset` if the address is in the program with these symbols, else ""."""
    below = [symbol for symbol in symbols if symbol[0] <= address]
    if not below or address > symbols[-1][0] + 0x1000:
        return ""
    return f" {below[-1][1]}+{address - below[-1][0]:#x}"


def ask(connection, question):
    """The monitor's answer."""
    if question:
        connection.sendall(question.encode() + b"\n")
    answer = b""
    while not answer.endswith(PROMPT):
        more = connection.recv(65536)
        if not more:
            break
        answer += more
    return answer.decode(errors="replace").replace("\r", "")


def harts(answer, symbols):
    """A line for each hart from `info registers -a`, with the registers that show where it is and why it stays
    there."""
    lines = []
    for number, registers in re.findall(r"^CPU#(\d+)\n(.*?)(?=^CPU#|\Z)", answer, re.M | re.S):
        value = dict(re.findall(r"(\S+) +=? *([0-9a-f]+)(?=\s)", registers))
        where = "" if int(value.get("V", "0")) else named(symbols, int(value.get("pc", "0"), 16))
        shown = [f"{name} {value[name].lstrip('0') or 0}" for name in TOLD if name in value]
        lines.append(f"hart {number}:{where} " + ", ".join(shown))
    return lines


def report(path, kernel):
    """A few samples of the harts of the machine whose monitor is at `path`."""
    try:
        symbols = functions(kernel)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(path))
            ask(connection, "")
            looks = []
            for _ in range(OFTEN):
                looks += harts(ask(connection, "info registers -a"), symbols)
                time.sleep(1)
            return "\n".join(looks)
    except Exception as error:  # any exception: the test's own failure must be reported
        return f"no word of the harts: {type(error).__name__}: {error}"
