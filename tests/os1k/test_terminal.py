"""At a terminal: editing, history, the keys that end programs, and programs in parallel."""
import re
import time

from tests.os1k.conftest import CTRL_D, PROMPT, finish, leave
from tests.support import LIMIT

UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END, DELETE = b"\x1b[H", b"\x1b[F", b"\x1b[3~"
HOMES_AND_ENDS = [  # bytes that terminals send
    (b"\x1b[H", b"\x1b[F"),    # xterm
    (b"\x1bOH", b"\x1bOF"),    # xterm, application keys
    (b"\x1b[1~", b"\x1b[4~"),  # tmux, screen, the Linux console
    (b"\x1b[7~", b"\x1b[8~"),  # rxvt
]
NO_KEYS = b"\x1b[[A" + b"\x1b[15~" + b"\x1b[20~" + b"\x1b[34~"  # function keys, which have no effect here


def until_told(session, words):
    """The shell reports an ended program before a prompt; before which one depends on the host."""
    end, told = time.monotonic() + LIMIT, False
    while not told:
        assert time.monotonic() < end, "the shell does not tell %r" % words
        session.send(b"sleep 10\r")
        told = session.expect([words, re.escape(PROMPT)]) == 0


def answer(session, keys):
    """The shell's output for a typed line, from the end of that line to the next prompt."""
    session.send(keys + b"\r")
    session.expect_exact(b"\r\n")
    session.expect_exact(PROMPT)
    return session.before.replace(b"\r\n", b"\n").decode()


def test_editing(terminal):
    assert answer(terminal, b"echo hxllo" + LEFT * 3 + b"\x7fe") == "hello\n"
    assert answer(terminal, b"cho abc" + HOME + b"e" + END + b"d") == "abcd\n"
    assert answer(terminal, b"echo abXc" + LEFT * 2 + DELETE) == "abc\n"
    assert answer(terminal, b"nonsense\x15echo new") == "new\n"
    assert answer(terminal, b"echo one two\x17three") == "one three\n"
    assert answer(terminal, b"echo stays goes" + HOME + RIGHT * 10 + b"\x0b") == "stays\n"
    assert answer(terminal, b"echo " + LEFT * 9 + RIGHT * 20 + b"x" + b"\x7f" * 1 + b"y") == "y\n"
    assert leave(terminal) == 0


def test_home_and_end_of_every_terminal(terminal):
    for home, end in HOMES_AND_ENDS:
        assert answer(terminal, b"cho abc" + home + b"e" + NO_KEYS + end + b"d") == "abcd\n"
    assert answer(terminal, b"echo abXc" + LEFT * 2 + b"\x1b[3;5~") == "abc\n"  # Ctrl-Delete
    assert leave(terminal) == 0


def test_history(terminal):
    assert answer(terminal, b"echo first") == "first\n"
    assert answer(terminal, b"echo second") == "second\n"
    assert answer(terminal, UP) == "second\n"
    assert answer(terminal, UP * 2) == "first\n"
    assert answer(terminal, UP * 9) == "first\n"
    assert answer(terminal, UP * 2 + DOWN + b" more") == "first more\n"
    lines = [line.split(None, 1)[1] for line in answer(terminal, b"history").splitlines()]
    assert lines == ["echo first", "echo second", "echo first", "echo first more", "history"]
    assert leave(terminal) == 0


def test_ctrl_c_cancels_a_line(terminal):
    terminal.send(b"crash null\x03")
    terminal.expect_exact(PROMPT)
    assert answer(terminal, b"echo alive") == "alive\n"
    assert leave(terminal) == 0


def endless_loop(session):
    """Starts an endless loop without a system call, which prints a word before it. Ctrl-C before that would be kept for
    the shell."""
    session.send(b"preempt count counting\r")
    session.expect_exact(b"\r\ncounting\r\n")


def test_ctrl_c_ends_the_program_in_front(terminal):
    endless_loop(terminal)
    terminal.send(b"\x03")
    terminal.expect(rb"\[\d+\] killed\r\n")
    terminal.expect_exact(PROMPT)
    assert answer(terminal, b"echo alive") == "alive\n"
    assert leave(terminal) == 0


def test_ctrl_c_after_much_that_no_program_reads(terminal):
    endless_loop(terminal)
    for _ in range(40):  # in pieces, as keys come
        terminal.send(b"x" * 99 + b"\r")
    terminal.send(b"\x03")
    terminal.expect(rb"\[\d+\] killed\r\n")
    for _ in range(40):  # input typed ahead is not lost
        terminal.expect_exact(b"x" * 99 + b": no such command")
    assert leave(terminal) == 0


def test_ctrl_c_ends_what_the_program_started(terminal):
    terminal.send(b"sleep 1000000 &\rpreempt 1000000\r")
    terminal.expect_exact(b"counted to")
    terminal.send(b"\x03")
    terminal.expect(rb"\[\d+\] killed\r\n")
    terminal.expect_exact(PROMPT)
    processes = answer(terminal, b"ps")  # the other programs still run
    assert [line.split()[-1] for line in processes.splitlines()[1:]] == ["shell", "sleep", "ps"]
    assert leave(terminal) == 0


def test_every_status_is_reported(terminal):
    for status in (b"0", b"127", b"128", b"160", b"174", b"255"):
        terminal.send(b"status " + status + b" &\r")
        until_told(terminal, rb"\[\d+\] done, status %s\r\n" % status)
    assert leave(terminal) == 0


def test_ctrl_d_in_a_program_leads_back_to_the_shell(terminal):
    terminal.send(b"6\r")
    terminal.expect_exact(b"calc> ")
    terminal.send(CTRL_D)
    terminal.expect_exact(PROMPT)
    assert answer(terminal, b"echo alive") == "alive\n"
    assert leave(terminal) == 0


def test_ctrl_d_on_a_line_does_not_leave(terminal):
    assert answer(terminal, b"echo a" + CTRL_D + b"b") == "ab\n"
    assert leave(terminal) == 0


def test_endless_loops_are_preempted(terminal):
    out = answer(terminal, b"preempt")
    counts = re.findall(r"process \d+ counted to (\d+), process \d+ to (\d+)", out)
    assert len(counts) == 3
    for column in range(2):
        assert int(counts[0][column]) < int(counts[1][column]) < int(counts[2][column])
    assert "both move, and mine is still 0" in out
    assert leave(terminal) == 0


def test_background_programs_make_progress_side_by_side(terminal):
    """Both counters make progress, and the shell answers."""
    for name in (b"red", b"blue"):
        terminal.send(b"counter 1000000 50 " + name + b" &\r")
        terminal.expect(rb"\[\d+\] started\r\n")
    for _ in range(5):
        terminal.expect(rb"red \d+\r\n")
        terminal.expect(rb"blue \d+\r\n")
    terminal.send(b"echo answered\r")  # one word: echo prints each by itself
    terminal.expect_exact(b"\nanswered\r\n")
    assert leave(terminal) == 0


def test_ps_and_kill(terminal):
    pid = re.match(r"\[(\d+)\] started\n", answer(terminal, b"sleep 1000000 &")).group(1)
    assert re.search(r"^ *%s +1 +\d+ sleeping +sleep$" % pid, answer(terminal, b"ps"), re.M)
    assert "[%s] killed" % pid in answer(terminal, b"kill " + pid.encode())
    assert "sleep" not in answer(terminal, b"ps")
    assert leave(terminal) == 0


def test_a_background_program_has_no_input(terminal):
    terminal.send(b"calc &\r")
    terminal.expect_exact(b"calc> ")  # where it reads the end of input
    until_told(terminal, rb"\[\d+\] done, status 0\r\n")
    terminal.send(b"echo mine\r")
    terminal.expect_exact(b"\r\nmine\r\n" + PROMPT)
    assert leave(terminal) == 0


def test_exit_by_ctrl_d(terminal):
    terminal.send(CTRL_D)
    assert finish(terminal) == 0
