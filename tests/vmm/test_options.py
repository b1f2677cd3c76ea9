"""The command line: options can be anywhere, values follow `=` or a blank, `--` ends the options."""
import pytest

HELLO = b"Hello, KVM!\n"


@pytest.mark.parametrize("args", [
    ["--timeout", "99", "@hello"], ["--timeout=99", "@hello"], ["@hello", "--timeout", "99"],
    ["@hello", "--timeout=99"],
    ["@hello", "--max-exits=99"], ["--max-exits", "99", "--timeout=99", "@hello"], ["--", "@hello"],
    ["--color=never", "@hello"], ["@hello", "--color", "never"], ["--eof=none", "@hello"],
])
def test_order_and_spelling(vmm, args):
    result = vmm.run(*args)
    assert (result.status, result.out, result.err) == (0, HELLO, ""), result


def test_options_between_guests(vmm):
    result = vmm.run("@hello", "--timeout", "99", "@counter", "--max-exits=99", "@minimal")
    assert (result.status, sorted(result.out.split(b"\n"))) == (0, [b"", b"0123456789", b"Hello, KVM!", b"M"]), result


def test_help_names_every_option(vmm):
    result = vmm.run("--help")
    assert (result.status, result.err) == (0, ""), result
    for option in ("-p", "--protected", "-l", "--long", "-m", "--load", "--entry", "--no-paging", "--timeout",
                   "--max-exits", "--input", "--color", "--eof", "--serial", "--display",
                   "--mmio", "--stats", "-v", "--version", "--help"):
        assert option.encode() in result.out, option
    assert max(len(line) for line in result.out.splitlines()) <= 100


def test_version(vmm):
    result = vmm.run("--version")
    assert result.status == 0 and result.out.startswith(b"kvm-vmm "), result


def test_window_size(vmm):
    """-m changes the size of a real-mode window, and so its limit."""
    result = vmm.run("-m", "512K", "@probe_end")
    assert (result.status, result.out) == (0, b"inside\noutside\n"), result
