"""Compares tables and lists in the documents with the programs. tools/check-docs compares the output of commands."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
CHECK_DOCS = TOP / "tools/check-docs"


def read(path):
    return (TOP / path).read_text(encoding="utf-8")


def table(document, heading):
    """The rows of the first table of a document whose heading row begins with that cell, cells without backquotes."""
    rows, inside = [], False
    for line in read(document).split("\n"):
        cells = [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if inside and not cells:
            break
        if inside and not set("".join(cells)) <= set("- "):
            rows.append(cells)
        inside = inside or (bool(cells) and cells[0] == heading)
    assert rows, "%s has no table %s" % (document, heading)
    return rows


def long_options(text):
    return set(re.findall(r"--[a-z][a-z-]+", text.replace("\\-", "-")))


GONE = {"--report"}  # parsed only for a message that names its replacement


def test_the_manual_has_every_option_and_no_other():
    """Compared with the table that parses the options."""
    source = read("kvm-vmm-x86/src/options/options.c")
    parsed = {"--" + name for name in re.findall(r'^    \{"([a-z-]+)", (?:0|\'.\'), [A-Z]+,', source, re.M)}
    of_run = {"--" + name for name in re.findall(r'\{\.name = "([a-z-]+)",', read("kvm-vmm-x86/src/run/request.c"))}
    of_ctl = set(re.findall(r'strcmp\(argv\[i\], "(--[a-z]+)"\)', read("kvm-vmm-x86/src/control/client.c")))
    assert parsed and of_run and {"--diff", "--zstd"} <= of_ctl
    assert long_options(read("docs/kvm-vmm.1")) == (parsed | of_run | of_ctl) - GONE


def test_the_manual_has_every_status():
    section = read("docs/kvm-vmm.1").split(".SH EXIT STATUS")[1].split(".SH ")[0]
    described = {int(number) for number in re.findall(r"^\.B (\d+)", section, re.M)}
    constants = re.search(r"enum \{\s*STATUS_OK.*?\}", read("kvm-vmm-x86/src/session/end.h"), re.S)[0]
    assert {int(number) for number in re.findall(r"= (\d+)", constants)} <= described


def constant(name):
    """The value of a port's constant, wherever a header of the VMM or of abi/ defines it."""
    for path in [*(TOP / "kvm-vmm-x86/src").rglob("*.h"), *(TOP / "abi").glob("*.h")]:
        value = r"\b%s(?: =|)\s+(?:UINT\d+_C\()?(0x[0-9a-f]+|\d+|[A-Z]\w+)" % name
        found = re.search(value, path.read_text(encoding="utf-8"))
        if found:
            return int(found[1], 0) if found[1][0].isdigit() else constant(found[1])
    raise LookupError(name)


def test_every_port_of_a_device_is_in_the_table():
    rows = re.findall(r"\{BUS_PIO, (\w+),[^{}]*\}", read("kvm-vmm-x86/src/vm/machine.c"))
    claimed = {constant(name) for name in rows if not name.startswith("TESTDEV")}  # docs/foreign.md has those
    shown = {int(port, 16) for row in table("docs/kvm-vmm.md", "port")
             for port in re.findall(r"0x[0-9a-f]+", row[0])}
    assert claimed <= shown
    assert constant("ACPI_PM_PORT") in claimed


def test_the_monitor_of_gdb_has_every_command():
    source = read("kvm-vmm-x86/src/watch/gdb/query.c")
    commands = set(re.findall(r'^    \{"([a-z]+)", "[^"]+", on_', source, re.M))
    assert commands - {"help"} == {row[0].split()[0] for row in table("docs/debugging.md", "monitor")}


def test_the_control_socket_has_every_verb():
    source = read("kvm-vmm-x86/src/control/verbs.c")
    verbs = re.findall(r'^    \{"([a-z]+)", (?:NULL|"[a-z]+"),', source, re.M)
    assert verbs and verbs == [row[0].split()[0] for row in table("docs/control.md", "verb")]


def test_the_loader_of_hleos_has_every_error():
    sources = "".join(path.read_text() for path in (TOP / "HLeOs/HLeOs/boot").glob("*.[cS]"))
    codes = {int(code) for code in re.findall(r'"(?:HLeOs )?E(\d\d)\b', sources)}
    shown = set()
    for row in table("docs/hleos.md", "code"):
        numbers = [int(number) for number in re.findall(r"E(\d\d)", row[0])]
        shown |= set(range(numbers[0], numbers[-1] + 1))
    assert codes == shown


def test_the_system_calls_of_hleos_have_their_numbers():
    numbers = {name.lower(): int(number)
               for name, number in re.findall(r"#define HLEOS_([A-Z]+)\s+(\d+)\b", read("abi/hleos.h"))}
    shown = {re.match(r"\w+", row[0])[0]: int(row[1]) for row in table("docs/hleos.md", "call")}
    assert shown == numbers


def keys_of_manifests():
    source = read("hypervisor/src/vm/config.c")
    rows = re.search(r"static const struct key keys\[\] = \{.*?\n\};", source, re.S)[0]
    return set(re.findall(r"TEXT_KEY\((\w+)\)|COUNT_KEY\((\w+),|\"(\w+)\"", rows))


def test_the_manifest_has_every_key():
    keys = {next(filter(None, names)) for names in keys_of_manifests()}
    assert "mem" in keys
    assert {name for row in table("docs/hypervisor.md", "key") for name in row[0].split()} == keys


def test_the_hypervisor_has_every_option():
    source = read("hypervisor/src/lib/options.c")
    parsed = set(re.findall(r'word_is\(word, length, "([^"]+)"', source))
    parsed |= set(re.findall(r'memcmp\(word, "(\w+=)"', source))
    sentence = re.search(r"^Options before them: (.*?)\n\n", read("docs/hypervisor.md"), re.S | re.M)[1]
    shown = {re.sub(r"=[A-Z].*", "=", word) for word in re.findall(r"`([^`]+)`", sentence)}
    assert parsed and shown == parsed


def test_the_keys_at_the_terminal():
    """The manual, the help and the lines of Ctrl-A h."""
    rows = re.findall(r"\{'(.)', INPUT_\w+\}", read("kvm-vmm-x86/src/console/input.c"))
    keys = set(rows) - {"?"}
    assert keys
    section = read("docs/kvm-vmm.1").split(".SH AT THE TERMINAL")[1].split(".SH ")[0]
    assert set(re.findall(r"^\.B Ctrl-A (.)$", section, re.M)) == keys
    assert set(re.findall(r"Ctrl-A ([a-z])\b", read("kvm-vmm-x86/src/options/options_help.c"))) == keys
    assert set(re.findall(r"Ctrl-A ([a-z])\b", read("kvm-vmm-x86/src/session/display.c"))) == keys


def test_the_numbers_of_hypercalls():
    served = {name: int(number, 16) for name, number in re.findall(
        r"#define HC_([A-Z]+)\s+(0x[0-9a-f]+) /\*", read("abi/hypercall.h").split("/* Served by the 1K OS alone")[0])}
    row = next(row for row in table("docs/kvm-vmm.md", "port") if row[1] == "hypercalls")
    assert {name: int(number, 0) for number, name in re.findall(r"(0x[0-9a-f]+|\d+) ([A-Z]{4,})", row[2])} == served


def test_the_header_for_programs_that_are_fuzzed():
    """The header is copied to places without abi/: its own numbers must be those of abi/hypercall.h."""
    numbers = dict(re.findall(r"FUZZ_([A-Z]+) = (0x[0-9a-f]+)", read("kvm-vmm-x86/example/kvmvmm_fuzz.h")))
    abi = dict(re.findall(r"#define HC_(?:FUZZ_)?([A-Z]+)\s+(0x[0-9a-f]+)", read("abi/hypercall.h")))
    assert set(numbers) == {"PORT", "INPUT", "DONE", "FAILED"}
    assert numbers == {name: abi[name] for name in numbers}


def test_the_registers_of_the_test_device():
    shown = {int(number, 16) for row in table("docs/foreign.md", "where")
             for number in re.findall(r"0x[0-9a-f]+", row[0])}
    ports = {constant("TESTDEV_" + name) for name in ("WORD_PORT", "FLUSH_PORT", "BYTE_PORT", "IRQ_PORT", "VMWARE_PORT",
                                                "MEMORY")}
    assert ports <= shown


def test_the_boot_sector_of_hleos():
    layout = dict(re.findall(r"#define (\w+)\s+(0x[0-9a-f]+)", read("HLeOs/HLeOs/boot/layout.h")))
    shown = {int(row[0], 16) for row in table("docs/hleos.md", "offset")}
    names = ("BOOT_PARAMETERS_END", "STAGE2_SECTORS_OFFSET", "DISK_SIGNATURE_OFFSET", "PARTITION_OFFSET")
    assert {int(layout[name], 16) for name in names} <= shown
    memory = {int(number, 16) for number in re.findall(r"^    .*?(0x\w{5})  ", read("docs/hleos.md"), re.M)}
    memory |= {int(number, 16) for number in re.findall(r"  (0x\w{5})  ", read("docs/hleos.md"))}
    for name in ("STACK_BOTTOM", "BOOT_SECTOR_AT", "STAGE2_AT", "TRANSFER_AT", "PAGE_TABLES_AT", "BOOT_INFO_AT"):
        assert int(layout[name], 16) in memory, name


def test_the_ranks_of_locks():
    """The files of each rank, as in the comments of the enumeration."""
    ranks = re.search(r"enum lock_rank \{.*?\};", read("HLeOs/HLeOs/src/hleos/cpu/lock.h"), re.S)[0]
    a_file = r"\w+(?:/\w+)*\.c"
    files = [re.findall(a_file, comment) for comment in re.findall(r"LOCK_\w+(?: = 1)?, +/\*(.*?)\*/", ranks)]
    shown = {int(row[0]): re.findall(a_file, row[2]) for row in table("docs/hleos/processors.md", "rank")}
    assert files and shown == dict(enumerate(files, 1))


def test_the_files_of_a_snapshot():
    shown = {name for row in table("docs/snapshots.md", "file") for name in row[0].split(", ")}
    sources = "".join(path.read_text() for path in (TOP / "kvm-vmm-x86/src/snapshot").glob("*.[ch]"))
    for name in shown:
        assert '"%s"' % name.replace("N", "%u") in sources or '/%s"' % name.replace("N", "%u") in sources, name


def test_the_monitor_of_the_hypervisor_has_every_command():
    commands = re.findall(
        r'^    \{"([a-z]+)", "[^"]*", "[^"]+", \w+, \w+\},', read("hypervisor/src/mon/monitor.c"), re.M)
    shown = re.search(r"The monitor knows `([a-z ]+)`", read("docs/hypervisor.md"))[1]
    assert shown.split() == commands


def test_the_parameters_of_init():
    asked = {name for path in (TOP / "initramfs/init").glob("*.c")
             for name in re.findall(r'getenv\("(\w+)"\)', path.read_text())}
    shown = {row[0].split("=")[0] for row in table("docs/initramfs.md", "parameter")} - {"(none)"}
    assert shown == asked


@pytest.mark.parametrize("document", ["README.md", "README.ko.md", "docs/README.md", "docs/README.ko.md"])
def test_links_lead_to_files(document):
    links = re.findall(r"\]\(([^)#:]+)\)", read(document))
    assert links
    for link in links:
        assert (TOP / document).parent.joinpath(link).exists(), link


def test_every_document_is_in_the_list():
    listed = set(re.findall(r"\]\(([^)#:/]+)\)", read("docs/README.md")))
    assert listed == {path.name for path in (TOP / "docs").iterdir()} - {"README.md", "README.ko.md"}


def commands_of(text):
    """The commands of all blocks, without comments."""
    return [re.split(r"\s+# ", line)[0] for line in text.split("\n") if line.startswith("    ") and re.match(
        r"    (?:\$ )?(?:cd|cp|make|sudo|rm|lab/lab|newgrp|\./run\.sh)\b", line)]


@pytest.mark.parametrize("folder", ["", "docs/"])
def test_the_korean_page_is_in_step(folder):
    """The same sections in the same order, the same commands, the same numbers in tables."""
    english, korean = read(folder + "README.md"), read(folder + "README.ko.md")
    sections = [re.findall(r'^<a id="([\w-]+)"></a>\n## ', text, re.M) for text in (english, korean)]
    assert sections[0] == sections[1] and len(sections[0]) == english.count("\n## ")
    assert commands_of(english) == commands_of(korean)
    numbers = [re.findall(r"\d[\d.,]+", "\n".join(re.findall(r"^\|.*", text, re.M))) for text in (english, korean)]
    assert numbers[0] == numbers[1]


SOURCES = {
    "VMM": ["kvm-vmm-x86/src"], "1K OS": ["kvm-vmm-x86/os-1k"], "hypervisor": ["hypervisor"], "HLeOs": ["HLeOs"],
    "common/ and abi/": ["common", "abi"], "lab": ["lab"], "initramfs/": ["initramfs"],
}


def test_counts_of_lines():
    """Correct to a fifth, so that README need not change with every commit."""
    heading = next(line for line in read("README.md").split("\n") if line.startswith("| VMM |"))
    names = [cell.strip().replace("`", "") for cell in heading.split("|")[1:-1]]
    shown = dict(zip(names, table("README.md", "VMM")[0]))
    assert set(shown) == set(SOURCES)
    for name, folders in SOURCES.items():
        files = [path for folder in folders for path in (TOP / folder).rglob("*")
                 if path.suffix in (".c", ".h", ".S", ".inc", ".ld") and "test" not in path.relative_to(TOP).parts]
        count = sum(sum(1 for line in path.read_text().split("\n") if line.strip()) for path in files)
        assert abs(count - int(shown[name].replace(",", ""))) <= count / 5 + 100, "%s: %d lines" % (name, count)


def check_docs(scratch, text):
    """tools/check-docs on a document with that text: status and output."""
    page = scratch / "page.md"
    page.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, CHECK_DOCS, page.relative_to(TOP)], capture_output=True, check=False,
                          text=True)
    return done.returncode, done.stdout


def test_check_docs_accepts_what_is_true(scratch):
    status, out = check_docs(scratch, "Text.\n\n    $ printf 'one 12 ms\\ntwo\\nthree\\n'; (exit 3)    # status 3\n"
                                      "    one 7 ms\n    ...\n    th...\n\nText.\n\n    cd tools\n"
                                      "    echo anything    # a comment\n\nText.\n\n    a picture\n")
    assert status == 0, out
    assert "3 commands, 0 breaches" in out


@pytest.mark.parametrize("block", [
    "    $ echo one\n    two\n",           # other output
    "    $ echo one\n",                    # output that is not shown
    "    $ printf ''\n    one\n",          # shown, but not printed
    "    $ false\n",                       # another status
    "    cd tools\n    cat no-such-file\n",
    "    $ echo 1464 lines\n    1465 lines\n",
])
def test_check_docs_finds_what_is_false(scratch, block):
    status, out = check_docs(scratch, "Text.\n\n%s\nText.\n" % block)
    assert status == 1
    assert "breaches" in out and "page.md:3" in out
