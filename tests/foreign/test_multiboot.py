"""Kernels made for GRUB and QEMU's -kernel: multiboot 1 and 2, in all their file formats."""
import subprocess

import pytest

from tests.support import Vmm

DONE = 33  # the status for 0x10 at QEMU's debug-exit port


@pytest.fixture
def modules(scratch):
    (scratch / "one").write_text("first")
    (scratch / "two=2").write_text("second")
    return ["--initrd", "%s/one=the name of one" % scratch, "--initrd", "%s/two=2" % scratch]


def test_what_a_kernel_is_told(vmm, scratch, modules):
    image = Vmm.guest("multiboot")
    result = vmm.run("-c", "2", "--append", "a b", *modules, "@multiboot")
    assert (result.status, result.err) == (DONE, ""), result
    assert result.out.decode().splitlines() == [
        "%s a b" % image, "the name of one: first", "%s/two=2: second" % scratch, "root pointer", "MP table"]


def test_multiboot_2(vmm, scratch, modules):
    result = vmm.run("--append", "a b", *modules, "@multiboot2")
    assert (result.status, result.err) == (DONE, ""), result
    assert result.out.decode().splitlines() == [
        "%s a b" % Vmm.guest("multiboot2"), "the name of one: first", "%s/two=2: second" % scratch, "memory map",
        "root pointer"]


def test_linked_high_loaded_low(vmm):
    result = vmm.run("@multiboot_high")
    assert (result.status, result.out) == (DONE, b"entered low\n"), result


@pytest.mark.parametrize("form", ["elf32-i386", "elf64-x86-64", "binary"])
@pytest.mark.parametrize("flags", [[], ["-p"]])
def test_addresses_in_the_header(vmm, scratch, form, flags):
    image = scratch / "image"
    subprocess.run(["objcopy", "-O", form, Vmm.guest("multiboot_addresses"), image], check=True)
    result = vmm.run(*flags, image)
    assert (result.status, result.out) == (DONE, b"entered in 32 bits\n"), result


def test_a_name_with_an_equals_sign(vmm, scratch):
    """The file's name ends at the first = for which such a file exists."""
    (scratch / "two=2").write_text("second")
    result = vmm.run("--initrd", "%s/two=2=root=/dev/a b=c" % scratch, "@multiboot")
    assert result.status == DONE and b"\nroot=/dev/a b=c: second\n" in result.out, result
    result = vmm.run("--log", scratch / "two=2", "--initrd", "%s/two=2=name" % scratch, "@multiboot")
    assert result.status == 125 and "would overwrite" in result.err, result


def test_a_64_bit_file_without_addresses(vmm, scratch):
    image = scratch / "image"
    subprocess.run(["objcopy", "-O", "elf64-x86-64", Vmm.guest("multiboot"), image], check=True)
    result = vmm.run(image)
    assert (result.status, result.out) == (DONE, b"%s\nroot pointer\nMP table\n" % str(image).encode()), result


def test_refusals(vmm, scratch):
    hello, one = vmm.guest("hello"), scratch / "one"
    one.write_text("first")
    result = vmm.run("--initrd", one, hello)
    assert (result.status, result.err) == (125, "kvm-vmm: %s: --initrd needs a Linux or multiboot kernel\n" % hello)
    result = vmm.run("--initrd", "%s/none=name" % scratch, "@multiboot")
    assert result.status == 125 and "%s/none" % scratch in result.err, result
    assert vmm.run("-l", "@multiboot").status == 125


def test_modules_by_pvh(vmm, modules):
    result = vmm.run("--kernel-entry", "pvh", *modules, "@pvh")
    assert (result.status, result.out) == (DONE, b"the name of one: first\n: second\n"), result
