"""Bytes to and from guests: all arrive, in order and unchanged, for any number."""
import random

import pytest

from tests.support import lab_run, with_time

ALL_BYTES = bytes(range(256))


def test_four_guests_mix_no_line_and_lose_none(vmm, scratch, soak):
    """Checks from line 7000 on, and in `make soak` from the first line."""
    image, first = vmm.guest("lines").read_bytes(), soak(7000, 0)
    assert image.count(b"0000") == 1
    (scratch / "lines.bin").write_bytes(image.replace(b"0000", b"%04d" % first))
    for _ in range(soak(1, 10)):
        result = vmm.run(*[scratch / "lines.bin"] * 4)
        assert result.status == 0, result
        lines = result.out.split(b"\n")
        assert lines.pop() == b""
        for letter in b"ABCD":
            mine = [line for line in lines if line[:1] == b"%c" % letter]
            assert mine == [b"%c%04d" % (letter, number) for number in range(first, 10000)]
        assert len(lines) == 4 * (10000 - first)


def test_getchar_brings_every_byte(vmm):
    """More bytes than the queue of 64 KB, with 0xff and zero bytes, and a length that is not a multiple of any buffer's
    size."""
    data = ALL_BYTES * 260 + b"end"
    result = vmm.run("@echo", stdin=data)
    assert result.status == 0 and result.out == data, result.err


def test_getchar_from_a_file(vmm, scratch):
    data = random.Random(1).randbytes(5000)
    (scratch / "input").write_bytes(data)
    with open(scratch / "input", "rb") as source:
        result = vmm.run("@echo", stdin=source)
    assert result.status == 0 and result.out == data, result.err


def test_string_input_from_the_uart(vmm):
    data = random.Random(2).randbytes(1 << 20)
    result = vmm.run("@insb", stdin=data)
    assert result.status == 0 and result.out == data, result.err


def test_string_output_to_the_uart(vmm):
    result = vmm.run("@outsb")
    assert (result.status, result.out) == (0, b"abcdefghijklmnopqrstuvwxyz\n"), result


def test_piped_input_ends_with_ctrl_d_on_the_uart(vmm):
    data = bytes(set(range(256)) - {4}) * 8
    result = vmm.run("@uart_echo", stdin=data)
    assert result.status == 0 and result.out == data, result


def test_eof_none_sends_no_ctrl_d(vmm):
    result = with_time(lambda seconds: vmm.run("--eof=none", "--timeout", seconds, "@uart_echo", stdin=b"abc"),
                       lambda result: result.out == b"abc")
    assert (result.status, result.out) == (124, b"abc"), result


@pytest.mark.parametrize("number", range(3))
def test_input_goes_to_the_chosen_guest(vmm, number):
    result = vmm.run("--input", number, *["@hello"] * number, "@echo", *["@hctest"] * (2 - number), stdin=b"for you\n")
    assert result.status == 0 and b"for you\n" in result.out, result
    assert result.out.count(b"end of input.") == 2 - number, result


def test_one_guest_alone_has_no_colour_and_no_prefix(vmm):
    assert vmm.run("--color=auto", "@echo", stdin=ALL_BYTES).out == ALL_BYTES


def test_colours_on_demand(vmm):
    """Red, green, blue, yellow: ECMA-48 section 8.3.117, 31 32 34 33."""
    result = vmm.run("--color=always", *["@hello"] * 4)
    assert result.status == 0 and all(b"\033[%dm" % colour in result.out for colour in (31, 32, 34, 33)), result
    assert b"\033" not in vmm.run("--color=never", *["@hello"] * 4).out
    assert b"\033" not in vmm.run(*["@hello"] * 4).out


@pytest.mark.parametrize("sink, status, reason", [("> /dev/full", 125, "No space left"), ("| true", 141, "")])
def test_output_that_goes_nowhere_is_no_success(vmm, sink, status, reason):
    line = "set -o pipefail; %s %s" % (" ".join(map(str, vmm.command("@multiplication"))), sink)
    result = lab_run("bash", "-c", line)
    assert result.status == status and reason in result.err, result


@pytest.mark.parametrize("end, status", [("--timeout 1", 124), ("", 128 + 15)])
def test_a_reader_that_takes_nothing_keeps_nobody(vmm, end, status):
    """A pipe is full and not read: the time limit and SIGTERM still end the run."""
    command = " ".join(map(str, vmm.command("@lines", "@lines")))
    line = ("exec 3> >(sleep 1000); %s %s >&3 & pid=$!; sleep 2; %s; wait $pid; status=$?; "
            "kill %%2 2> /dev/null; pkill -P $$ sleep; exit $status" % (command, end, "true" if end else "kill $pid"))
    result = lab_run("bash", "-c", line)
    assert result.status == status, result


def test_closed_descriptors_are_not_taken(vmm):
    line = "%s <&-" % " ".join(map(str, vmm.command("@hctest")))
    result = lab_run("bash", "-c", line)
    assert result.status == 0 and b"end of input" in result.out, result
