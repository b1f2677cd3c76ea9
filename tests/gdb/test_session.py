"""Debuggers connect and disconnect, with a detach or without; other clients connect too."""
import os
import random
import re
import subprocess
import threading
import time

import pytest

from tests.gdb.conftest import batch, value
from tests.support import LIMIT, lab_run

COUNTER = "print *(long*)&counter"


def run_until_it_has_moved(gdb, before):
    """Ctrl-C may come before the guest has executed anything: then it is resumed again."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        gdb.go()
        assert "SIGINT" in gdb.interrupt()
        now = value(gdb.do("output *(long*)&counter").replace("output *(long*)&counter\n", "$0 = "), "$0")
        if now > before:
            return now
    pytest.fail("the guest does not run")


def test_ctrl_c_detach_and_come_again(guest, session, symbols):
    """The guest runs on between two debuggers, and the second finds none of the first one's breakpoints."""
    g = guest("@debuggee", wait=False)
    gdb = session(symbols=symbols("debuggee"))
    gdb.do(g.remote())
    first = value(gdb.do(COUNTER), "$1")
    second = run_until_it_has_moved(gdb, first)
    gdb.do("set breakpoint always-inserted on")
    gdb.do("break bump")
    assert "detached" in gdb.do("detach")
    text = batch(g.remote(), COUNTER, "x/i bump", "set var *(int*)&stop = 1", "continue", symbols=symbols("debuggee"))
    assert value(text, "$1") > second and "push   %rbp" in text and "exited normally" in text
    assert g.end()[0] == 0


def test_quitting_detaches(guest, symbols):
    g = guest("@debuggee", wait=False)
    batch(g.remote(), "break bump", "continue", symbols=symbols("debuggee"))
    text = batch(g.remote(), "set var *(int*)&stop = 1", "continue", symbols=symbols("debuggee"))
    assert "exited normally" in text


def test_kill_ends_the_guest(guest):
    g = guest("@debuggee")
    assert "killed" in batch(g.remote(), "kill")
    status, _, err = g.end()
    assert status == 128 + 9 and "killed by its debugger" in err


def test_the_end_is_told(guest):
    """An exit status, and a crash, at which the guest first stops for inspection."""
    g = guest("--real-mode", "@debug_exit")
    text = batch(g.remote(), "continue")
    status = g.end()[0]
    assert status % 2 == 1 and "exited with code 0%o" % status in text
    g = guest("--real-mode", "@triple")
    text = batch(g.remote(), "continue", "monitor regs", "continue")
    assert "SIGSEGV" in text and "vCPU 0: real mode" in text and "exited with code 0176" in text
    assert g.end()[0] == 126


def test_a_debugger_that_vanishes(guest, symbols):
    """gdb is killed while breakpoints are set: the guest continues without them."""
    g = guest("@debuggee", wait=False)
    gdb = subprocess.Popen(["gdb", "-q", "-nx", "-ex", "set remotetimeout 200",
                            "-ex", "set breakpoint always-inserted on", "-ex", "file %s" % symbols("debuggee"),
                            "-ex", g.remote(), "-ex", "break bump",
                            "-ex", COUNTER, "-ex", "continue"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    while b"$1 = " not in (line := gdb.stdout.readline()):
        assert line
    os.killpg(gdb.pid, 9)
    gdb.communicate()
    text = batch(g.remote(), COUNTER, "set var *(int*)&stop = 1", "continue", symbols=symbols("debuggee"))
    assert value(text, "$1") > value(line.decode().replace("(gdb) ", ""), "$1") and "exited normally" in text
    assert g.end()[0] == 0


def test_vanished_before_the_start(guest, symbols):
    """With -S the guest has not started: it waits for the next debugger."""
    g = guest("@debuggee")
    client = g.client()
    client.communicate(b"+$?#3f")
    text = batch(g.remote(), "info registers rip", COUNTER, "kill", symbols=symbols("debuggee"))
    assert value(text, "rip") == 0x100000 and value(text, "$1") == 0


def packet(payload):
    return b"$%s#%02x" % (payload, sum(payload) & 0xff)


def test_garbage(guest, symbols):
    """Noise, broken packets and invalid packets; then a debugger finds the guest unchanged."""
    g = guest("@debuggee", wait=False)
    noise = random.Random(7)
    words = [b"g", b"G", b"m", b"M", b"X", b"P", b"Z0,", b"Z1,", b"Z2,", b"z9", b"H", b"T", b"qRcmd,", b"vCont",
             b"qXfer:features:read:", b"p", b"qThreadExtraInfo,", b"!", b"R", b"v", b"QStartNoAckMode"]
    for _ in range(3):
        client = g.client()
        data = b"".join(noise.choice([noise.randbytes(noise.randrange(200)).replace(b"\x03", b""),
                                      packet(noise.choice(words) + b"%x" % noise.getrandbits(noise.randrange(1, 90)))])
                        for _ in range(200))
        client.communicate(data + b"$" + b"a" * 40000 + b"#00" + b"$" * 100)
    text = batch(g.remote(), "info registers rip", COUNTER, "delete", "set var *(int*)&stop = 1", "continue",
                 symbols=symbols("debuggee"))
    assert "exited normally" in text, text
    assert g.end()[0] == 0


def test_a_second_debugger_is_turned_away(guest, session, symbols):
    g = guest("@debuggee")
    gdb = session(symbols=symbols("debuggee"))
    gdb.do(g.remote())
    out = g.client().communicate(timeout=LIMIT)[0]
    assert out == b""
    assert "0x100000" in gdb.do("info registers rip")


def test_a_stopped_guest_takes_no_time(guest, vmm):
    """The VMM's CPU time over two seconds in which its guest, an endless loop, is stopped; afterwards the guest uses
    CPU time again."""
    script = ("import socket,subprocess,sys,time,os\n"
              "p=subprocess.Popen(sys.argv[1:],stderr=subprocess.PIPE,stdout=subprocess.DEVNULL)\n"
              "line=p.stderr.readline().decode()\n"
              "s=socket.socket(socket.AF_UNIX);s.connect(line.split()[-1])\n"
              "s.sendall(b'$?#3f');s.recv(64)\n"
              "used=lambda:sum(map(int,open('/proc/%d/stat'%p.pid).read().rsplit(')')[1].split()[11:13]))\n"
              "before=used();time.sleep(2);after=used()\n"
              "s.sendall(b'$D#44');s.recv(64);s.close()\n"
              "while used()-after<20:time.sleep(0.1)\n"
              "p.kill();print(after-before)")
    result = lab_run("/usr/bin/python3", "-c", script, *vmm.command("--gdb", "unix:/var/tmp/idle.sock", "@spin"))
    assert int(result.out) <= 10, result  # hundredths of a second


def test_blocked_in_input(guest, session):
    """A guest that waits for a key in a hypercall can be stopped, and gets its key afterwards."""
    read, write = os.pipe()
    g = guest("@echo", wait=False, stdin=read)
    os.close(read)
    text = batch(g.remote(), "info registers eip")
    assert value(text, "eip") > 0
    os.write(write, b"key\n")
    os.close(write)
    status, out, _ = g.end()
    assert status == 0 and b"key" in out


def test_input_by_rep_insb(guest):
    """Debuggers come and go while `rep insb` waits in the middle of a batch; the guest gets every byte."""
    data = random.Random(3).randbytes(64 * 0x4000)
    read, write = os.pipe()
    g = guest("@insb", wait=False, stdin=read)
    os.close(read)
    for begin, end in (0, 1000), (1000, 1003), (1003, 1700):
        os.write(write, data[begin:end])
        assert value(batch(g.remote(), "info registers eip"), "eip") > 0

    def feed():
        with open(write, "wb") as pipe:
            pipe.write(data[1700:])
    feeder = threading.Thread(target=feed)
    feeder.start()
    status, out, _ = g.end()
    feeder.join()
    assert status == 0 and out == data


def test_a_restart_ends_the_session(guest, session):
    """With --reboot: the end is reported to gdb, which can connect to the restarted guest; that waits for a key."""
    read, write = os.pipe()
    g = guest("--reboot", "@restart", wait=False, stdin=read)
    os.close(read)
    gdb = session()
    for key in b"a", b"b", b"q":
        gdb.do(g.remote())
        assert value(gdb.do("info registers eip"), "eip") >= 0
        gdb.go()
        os.write(write, key)
        assert "exited normally" in gdb.stopped()
    os.close(write)
    status, out, _ = g.end()
    assert status == 0 and out == b"abq"


def test_two_guests_have_a_port_each(guest):
    g = guest("@hello_64", "@debuggee")
    assert value(batch(g.remote(1), "info registers rip", "kill"), "rip") == 0x100000
    assert "exited normally" in batch(g.remote(0), "continue")
    status, out, _ = g.end()
    assert status == 128 + 9 and b"Hello, KVM, in 64 bits!" in out


@pytest.mark.parametrize("args,status,line", [
    (["--gdb", "65536"], 2, "--gdb 65536: expected [HOST:]PORT or unix:PATH"),
    (["-S"], 2, "-S needs --gdb"),
    (["--gdb", "unix:/nowhere/at/all"], 125, "--gdb: cannot listen on /nowhere/at/all: No such file or directory"),
    (["--gdb", "192.0.2.1:1234"], 125, "--gdb: cannot listen on 192.0.2.1 port 1234"),
])
def test_bad_places(vmm, args, status, line):
    result = vmm.run(*args, "@hello_64")
    assert result.status == status and line in result.err and result.err.count("\n") == 1, result


def test_a_busy_port(vmm):
    """One line of error, from whichever thread."""
    script = ("import socket,subprocess,sys\ns=socket.socket();s.bind(('127.0.0.1',0));s.listen()\n"
              "sys.exit(subprocess.call(sys.argv[1:]+['--gdb',str(s.getsockname()[1])]))")
    result = lab_run("/usr/bin/python3", "-c", script, *vmm.command("@hello_64"))
    assert result.status == 125 and "Address already in use" in result.err and result.err.count("\n") == 1, result


def test_by_tcp_in_the_same_place(vmm):
    """gdb runs where the guest runs, and uses the port that the VMM prints."""
    script = ("import re,subprocess,sys\n"
              "p=subprocess.Popen(sys.argv[1:]+['--gdb','0','-S'],stderr=subprocess.PIPE,stdout=subprocess.PIPE)\n"
              "port=p.stderr.readline().split()[-1].decode()\n"
              "t=subprocess.run(['gdb','-q','-nx','-batch','-l','200','-ex','target remote '+port,'-ex','stepi',"
              "'-ex','continue'],capture_output=True,text=True)\n"
              "print(port,t.stdout,p.communicate()[0])")
    result = lab_run("/usr/bin/python3", "-c", script, *vmm.command("@hello_64"))
    text = result.out.decode()
    assert re.match(r"127\.0\.0\.1:\d+ ", text) and "exited normally" in text and "Hello, KVM" in text, result
