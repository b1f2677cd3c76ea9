"""Bad input gets one clear line and a status: never a hang, a crash or silence."""
import gzip
import os
import re
import subprocess

import pytest

from tests.support import LIMIT

# error: (arguments, status, words that the line must contain); FOLDER is the test's scratch folder
WRONG = {
    "no guest": ([], 2, ["guest|image"]),
    "an unknown option": (["--bogus", "@hello"], 2, ["--bogus"]),
    "an unknown letter": (["-Z", "@hello"], 2, ["-Z|Z"]),
    "a value that is no number": (["--timeout", "soon", "@hello"], 2, ["soon"]),
    "a negative number": (["--max-exits=-1", "@hello"], 2, ["-1"]),
    "a number with a tail": (["-m", "64Mx", "@hello"], 2, ["64Mx"]),
    "a value that is missing": (["@hello", "--timeout"], 2, ["--timeout"]),
    "a value for a switch": (["--stats=yes", "@hello"], 2, ["--stats"]),
    "a colour that does not exist": (["--color=mauve", "@hello"], 2, ["mauve"]),
    "five guests": (["@hello"] * 5, 2, ["four|4"]),
    "input for a guest that is not there": (["--input", "3", "@hello"], 2, ["input"]),
    "two modes": (["-p", "-l", "@hello"], 2, ["-p|-l|mode"]),
    "no such file": (["FOLDER/nothing.bin"], 125, ["nothing.bin", "[Nn]o such file"]),
    "a directory": (["FOLDER"], 125, ["directory"]),
    "an empty file": (["FOLDER/empty"], 125, ["empty"]),
    "an image too large for its window": (["FOLDER/large"], 125, ["large", "window|fit|KB"]),
    "an image too large for its memory": (["-p", "-m", "1M", "FOLDER/large"], 125, ["large"]),
    "an ELF file cut short": (["FOLDER/cut.elf"], 125, ["cut.elf"]),
    "an ELF file of another machine": (["FOLDER/riscv.elf"], 125, ["riscv.elf"]),
    "a program for Linux (PIE)": (["/bin/true"], 125, ["program for Linux", "-nostdlib"]),
    "a program for Linux (static)": (["/bin/busybox"], 125, ["program for Linux"]),
    "an object file": (["FOLDER/object.o"], 125, ["object file", "link"]),
    "a packed image": (["FOLDER/hello.gz"], 125, ["gzip", "gunzip"]),
    "a packed image in another mode": (["-p", "FOLDER/hello.gz"], 125, ["gzip", "gunzip"]),
    "a disk": (["FOLDER/disk.qcow2"], 125, ["qcow2", "kernel"]),
    "a script": (["FOLDER/script"], 125, ["script"]),
    "less memory than any": (["-m", "0", "@hello"], 2, ["0"]),
    "more vCPUs than any": (["-c", "65", "@hello"], 2, ["65"]),
    "several vCPUs in real mode": (["-c", "2", "@hello"], 125, ["-c"]),
    "a ramdisk for no kernel": (["--initrd", "FOLDER/large", "@hello"], 125, ["--initrd", "Linux"]),
    "an entry for no kernel": (["--kernel-entry=pvh", "@hello_64"], 125, ["--kernel-entry", "Linux"]),
}


@pytest.fixture
def folder(scratch, vmm):
    elf = vmm.guest("hello_64").read_bytes()
    (scratch / "empty").touch()
    (scratch / "large").write_bytes(b"\x90" * (2 << 20))
    (scratch / "cut.elf").write_bytes(elf[:100])
    (scratch / "object.o").write_bytes(elf[:16] + b"\1\0" + elf[18:])
    (scratch / "hello.gz").write_bytes(gzip.compress(vmm.guest("hello").read_bytes()))
    (scratch / "disk.qcow2").write_bytes(b"QFI\xfb\0\0\0\3" + bytes(65536))
    (scratch / "script").write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
    (scratch / "riscv.elf").write_bytes(elf[:18] + b"\xf3\0" + elf[20:])
    return scratch


@pytest.mark.parametrize("what", WRONG)
def test_one_clear_line(vmm, folder, what):
    args, status, words = WRONG[what]
    result = vmm.run(*(str(a).replace("FOLDER", str(folder)) for a in args))
    assert (result.status, result.out) == (status, b""), result
    assert 1 <= len(result.err.splitlines()) <= 2 and result.err.startswith("kvm-vmm: "), result
    assert all(re.search(word, result.err) for word in words), result


# These start no guest, so they need no lab.
UNUSABLE = {
    "missing": ("FOLDER/none", ["no /.*/none", "lab/lab"]),
    "of a group": ("FOLDER/group", ["permission for /.*/group", "ls -l", "usermod -aG kvm", "lab/lab run"]),
    "forbidden": ("FOLDER/forbidden", ["permission for /.*/forbidden", "its mode, 0000, lets no group", "lab/lab run"]),
    "not KVM at all": ("/dev/zero", ["/dev/zero"]),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_the_kvm_device_is_of_no_use(vmm, folder, what):
    device, words = UNUSABLE[what]
    (folder / "forbidden").touch()
    (folder / "forbidden").chmod(0)
    (folder / "group").touch()
    (folder / "group").chmod(0o060)
    without_privileges = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    device = device.replace("FOLDER", str(folder))
    done = subprocess.run([*without_privileges, *vmm.command("--kvm", device, "@hello")], check=False,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT)
    assert (done.returncode, done.stdout) == (125, ""), done.stderr
    assert all(re.search(word, done.stderr) for word in words), done.stderr
    assert done.stderr.startswith("kvm-vmm: "), done.stderr


@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="this machine has no /dev/kvm to use")
def test_a_kvm_without_32_bit_paging_is_named(vmm):
    result = vmm.run("-p", "@pmode_test", env={"KVM": "host"})
    if result.status == 0:
        pytest.skip("this machine's own KVM is complete")
    assert (result.status, result.out) == (125, b""), result
    assert re.search("paging", result.err) and re.search("lab", result.err), result


@pytest.mark.parametrize("options, named", [
    (["--log", "image.bin"], "--log image.bin would overwrite image.bin, which this run reads"),
    (["--log", "link"], "--log link would overwrite image.bin"),
    (["--log", "names", "--symbols", "names"], "--log names would overwrite names"),
    (["--log", "disk", "--initrd", "disk"], "--log disk would overwrite disk"),
    (["--serial", "file:image.bin"], "--serial image.bin would overwrite image.bin"),
    (["--serial", "file:log", "--log", "log"], "--serial and --log would both write log")])
def test_what_is_read_is_not_overwritten(vmm, scratch, options, named):
    content = vmm.guest("hello").read_bytes()
    for name in "image.bin", "names", "disk", "log":
        (scratch / name).write_bytes(content)
    (scratch / "link").symlink_to("image.bin")
    result = vmm.run(*options, "image.bin", cwd=scratch)
    assert result.status == 125 and named in result.err, result
    assert all((scratch / name).read_bytes() == content for name in ("image.bin", "names", "disk", "log"))


@pytest.mark.parametrize("options, named", [
    (["--mmio", "no"], "--mmio no: expected default, stop or ignore"),
    (["--color=red"], "--color red: expected auto, always or never"),
    (["--stats=1"], "--stats takes no value: --stats=1"),
    (["--tiemout", "9"], "no such option: --tiemout (did you mean --timeout?)"),
    (["--no-such-thing"], "no such option: --no-such-thing;"),
    (["--disk", "--"], "--disk needs a value (-- ends the options)"),
    (["-j", "2"], "no such option: -j")])
def test_words_that_an_option_takes(vmm, options, named):
    result = vmm.run(*options, "@hello")
    assert result.status == 2 and named in result.err, result


def test_options_of_run_alone(vmm):
    """A part of a name would do, and --kernel is not --kernel-entry. All that run's help has are known."""
    listed = {text: set(re.findall(r"--[a-z-]+", "\n".join(line for line in text.split("\n") if line.startswith("  "))))
              for text in (vmm.run("run", "--help").out.decode(), vmm.run("--help").out.decode())}
    of_run, of_all = listed.values()
    for option in sorted(of_run - of_all - {"--help"}):
        for words in ([option, "64"], [option + "=64"]):
            result = vmm.run(*words, "@hello")
            assert result.status == 2 and "%s belongs to kvm-vmm run" % option in result.err, result
    assert {"--kernel", "--root", "--script"} <= of_run - of_all
    assert "--kernel-entry needs a Linux kernel" in vmm.run("--kernel-e", "64", "@hello").err


# KVM cannot be opened in these: the wrong name is still the first thing to know.
@pytest.mark.parametrize("options, name", [
    (["none.bin"], "none.bin"),
    (["--initrd", "none=name", "image.bin"], "none"),
    (["--fw-cfg", "a=none", "image.bin"], "none"),
    (["--symbols", "none", "image.bin"], "none"),
    (["--serial", "file:none/x", "image.bin"], "none"),
    (["--bios", "image.bin", "none"], "none"),
])
def test_a_wrong_name_before_a_missing_kvm(vmm, scratch, options, name):
    (scratch / "image.bin").write_bytes(vmm.guest("hello").read_bytes())
    result = vmm.run("--kvm", "/nothing", *options, cwd=scratch)
    assert result.status == 125 and result.err == "kvm-vmm: cannot open %s: No such file or directory\n" % name, result
    result = vmm.run("--kvm", "/nothing", "image.bin", cwd=scratch)
    assert result.status == 125 and "no /nothing" in result.err, result
