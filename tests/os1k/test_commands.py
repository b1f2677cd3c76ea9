"""Every entry of the menu and every command, through a pipe, with the bytes that a person would type."""
import math
import re

import pytest

TABLE = "\n".join("".join("%4d" % (row * column) for column in range(1, 10)) for row in range(1, 10))
PRIMES = [n for n in range(2, 1001) if all(n % d for d in range(2, n))]
FACTORIALS = "\n".join("%d! = %d" % (n, math.factorial(n)) for n in range(13))


def fibonacci(count):
    a, b, lines = 0, 1, []
    for i in range(count):
        lines.append("F(%d) = %d" % (i, a))
        a, b = b, a + b
    return "\n".join(lines)


def answers(machine, *commands):
    """The output of each command, in order, and the exit status."""
    result = machine.run("".join(c + "\n" for c in commands).encode())
    parts = result.out.decode().split("1k> ")[1:]
    return [part.split("\n", 1)[1] if "\n" in part else part for part in parts], result.status


MENU = {
    "1": TABLE,
    "2": "\n".join(map(str, range(10))),
    "4": fibonacci(20),
    "5": " ".join(str(n) for n in PRIMES if n <= 100) + "\n25 primes up to 100",
    "7": FACTORIALS,
}

COMMANDS = {
    "table 7": "\n".join("7 x %d = %d" % (n, 7 * n) for n in range(1, 10)),
    "counter 3": "0\n1\n2\n3",
    "echo one  two": "one two",
    "fibonacci 94": fibonacci(94),
    "primes 1000": " ".join(map(str, PRIMES)) + "\n168 primes up to 1000",
    "primes 1": "0 primes up to 1",
    "primes -1": "-1: not a number from 0 to 1000000",
    "primes 99999999999": "99999999999: not a number from 0 to 1000000",
    "factorial 5": "\n".join(FACTORIALS.split("\n")[:6]),
    "factorial 13": "13: not a number from 0 to 12",
    "gcd 12 18": "gcd(12, 18) = 6",
    "gcd -2147483648 0": "gcd(-2147483648, 0) = 2147483648",
    "calc 2 + 3 * -4": "= -10",
    "calc (1+2)*(3+4)/2": "= 10",
    "calc -2147483648": "= -2147483648",
    "calc -2147483648/-1": "error: overflow",
    "calc 2147483647+1": "error: overflow",
    "calc 65536*65536": "error: overflow",
    "calc 1/0": "error: division by zero",
    "calc 1+": "error: a number is missing",
    "calc (1": "error: a parenthesis is missing",
    "calc 1 2": "error: that is not an expression",
    "calc " + "(" * 150: "error: too many parentheses",
    "nonsense": "nonsense: no such command (try `help`)",
    "cat nothing": "cat: nothing: no such file",
    "kill 1": "kill: 1: bad argument",
    "kill 12345": "kill: 12345: no such process",
    "readme.txt/": "readme.txt/: no such command (try `help`)",
    "": "",
}


def test_menu(machine):
    got, status = answers(machine, *MENU)
    assert dict(zip(MENU, (text.strip("\n") for text in got))) == MENU
    assert status == 0


def test_commands(machine):
    got, status = answers(machine, *COMMANDS)
    assert dict(zip(COMMANDS, (text.strip("\n") for text in got))) == COMMANDS
    assert status == 0


def test_echo_asks_for_lines(machine):
    result = machine.run(b"3\nhello there\nagain\n\nexit\n")
    assert b"> hello there\nhello there\n> again\nagain\n> \n1k> exit\n" in result.out
    assert result.status == 0


def test_calculator_asks_for_expressions(machine):
    result = machine.run(b"6\n7*6\n1/0\n\nexit\n")
    assert b"calc> 7*6\n= 42\ncalc> 1/0\nerror: division by zero\ncalc> \n1k> " in result.out


def test_gcd_asks_for_numbers(machine):
    assert b"gcd(270, 192) = 6\n" in machine.run(b"8\nx\n270\n192\n0\n").out


def test_end_of_input_inside_a_program_ends_everything(machine):
    result = machine.run(b"6\n2+2\n")
    assert b"= 4\n" in result.out
    assert result.status == 0


@pytest.mark.parametrize("text", [b"", b"0\n", b"exit\n", b"9\n"])
def test_leaves_with_zero(machine, text):
    assert machine.run(text).status == 0


def test_exit_status(machine):
    assert machine.run(b"exit 21\n").status == 21 << 1 | 1


def test_about_says_what_is_true(machine):
    out = machine.run(b"9\n").out.decode()
    console = {"vmm": "hypercall", "qemu": "serial port"}[machine.name]
    loader = {"vmm": "mini-kvm kvm-vmm", "qemu": "qemu"}[machine.name]
    assert "console     %s\n" % console in out
    assert "loader      %s\n" % loader in out
    assert "PAE paging with NX" in out
    assert "files       memory, until power off\n" in out


@pytest.mark.parametrize("cpu", ["max,-nx", "max,-pae", "pentium", "pentium2"])
def test_processor_without_nx(qemu, cpu):
    result = qemu.run(b"9\ncrash write-code\ncrash write-kernel\ncycles 20\n", cpu=cpu)
    out = result.out.decode()
    assert "protection  paging, read-only code, no NX" in out
    assert out.count("was stopped: page fault writing") == 2
    assert "20 cycles, free pages before" in out
    assert result.status == 0


def test_files(machine):
    result = machine.run(b"write a.txt hello   you\ncat a.txt\nwrite a.txt shorter\ncat a.txt\nls\nrm a.txt\n"
                         b"cat a.txt\n"
                         b"write readme.txt mine\ncat readme.txt\nwrite b\none\ntwo\n\ncat b\n"
                         b"write bin/broken not a program\nbroken\nwrite bin/shell x\nrm nothing\n")
    out = result.out.decode()
    assert "1k> cat a.txt\nhello you\n" in out
    assert "1k> cat a.txt\nshorter\n" in out
    assert "      8 a.txt\n" in out and "kept in: memory, until power off\n" in out
    assert "cat: a.txt: no such file\n" in out
    assert "1k> cat readme.txt\nmine\n" in out
    assert "1k> cat b\none\ntwo\n" in out
    assert "broken: not a program\n" in out
    assert "write: bin/shell: bad argument\n" in out
    assert "rm: nothing: no such file\n" in out
    assert result.status == 0


def test_a_file_that_grows(machine):
    """A file grows line by line over several pages: it moves each time, keeps its contents, and its memory is freed at
    the end."""
    lines = "".join("%03d %s\n" % (i, "x" * 150) for i in range(100))
    out = machine.run(("cycles 1\nwrite big\n%s\ncat big\nrm big\ncycles 1\n" % lines).encode()).out.decode()
    assert "%d bytes in big\n" % len(lines) in out
    assert "1k> cat big\n%s1k> rm big\n" % lines in out
    before, after = re.findall(r"free pages before (\d+)", out)
    assert before == after


def test_no_piped_input_is_lost(qemu):
    """More input than the kernel's ring holds arrives while no program reads: the sender waits. (A minute on the
    VMM.)"""
    lines = "".join("%03d %s\n" % (i, "x" * 150) for i in range(500))
    result = qemu.run(("sleep 2000\nwrite big\n%s\nls\n" % lines).encode())
    assert b"%7d big\n" % len(lines) in result.out
    assert result.status == 0


def test_help_names_every_program(machine):
    out = machine.run(b"help\nls\nhistory\n").out.decode()
    programs = [line.split("bin/")[1] for line in out.split("\n") if " bin/" in line]
    text = out.split("1k> help")[1].split("1k> ls")[0]
    assert len(programs) > 20
    assert [p for p in programs if " %s" % p not in text and p not in ("shell", "true")] == []
    assert "   1  help\n   2  ls\n   3  history\n" in out
