"""Unusual machines and guests: memory at high addresses, large pages, listed extensions, no PLIC, many guests."""
import re
import subprocess

import pytest

from hvmachine import OUT, QEMU12, command, compiled, cpio, ends_well, monitor, run, spawn, to_monitor
from test_demo import LINES

GIB = 1 << 30


def test_disk_of_its_own(hypervisor, qemu, tmp_path):
    """A disk in the hypervisor's memory is kept over two reboots; then a hostile driver uses it."""
    elf = compiled("disk", tmp_path, BOOTS=3, SECTORS=8)
    image = (bytes(512) + b"second sector").ljust(8 * 512, b"\0")
    manifest = "vm disk mem=8M kernel=disk.elf base=0x80000000 disk=image\n"
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "disk.elf": elf, "image": image})
    status, output = run(command(qemu, hypervisor, initrd, memory="256M"))
    assert status == 0 and "defect" not in output, output[-1500:]
    assert re.findall(r"disk: boot (\d)", output) == ["1", "2", "3"]
    assert re.search(r"disk: done: \d{3,} met, 0 missed", output)


@pytest.mark.parametrize("base,size,page,step,line,memory", [
    (0x80000000, GIB, "1G", 1 << 21, "a block of 1048576 KiB", "4G"),      # one entry in the root
    (0x80000000, 64 << 20, "2M", 1 << 16, "a block of 2048 KiB", "512M"),
    (0x80000000, 8 << 20, "4K", 1 << 12, "a block of 4 KiB", "512M"),
    (1 << 45, 64 << 20, "2M", 1 << 16, "Sv48x4", "512M"),                  # beyond Sv39x4
])
def test_memory(hypervisor, tmp_path, base, size, page, step, line, memory):
    start, end = base + (4 << 20), base + size
    # The device tree is at the end of memory; marks must be below it.
    elf = compiled("far", tmp_path, base=base + (1 << 21), START=f"{start:#x}ul", END=f"{end:#x}ul",
                   STEP=f"{step:#x}ul", TREE="0x8000ul")
    manifest = f"vm far mem={size // 1024}K kernel=far.elf base={base:#x} page={page}\n"
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "far.elf": elf})
    machine = command(QEMU12, hypervisor, initrd, memory=memory)
    child = spawn(machine)
    child.expect(r"far: \d+ marks from")
    to_monitor(child)
    child.send(f"walk {start:#x}\r")
    child.expect("hv> ")
    assert line in child.before, child.before
    child.send("\r")
    child.send("x")
    child.expect(r"far: done: \d+ met, 0 missed")
    ends_well(child)


@pytest.mark.parametrize("aia", ["none", "aplic", "aplic-imsic"])
def test_typing_by_each_controller(hypervisor, qemu, tmp_path, aia):
    """Typed keys raise interrupts through a PLIC, an APLIC's wire, and an APLIC's MSIs. Without guest interrupt files a
    guest that asks for them gets a message, and a PLIC."""
    elf = compiled("far", tmp_path, START="0x80400000ul", END="0x80800000ul", STEP="0x10000ul", TREE="0x8000ul")
    manifest = "vm far mem=8M kernel=far.elf base=0x80000000 harts=0 interrupts=imsic\n"
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "far.elf": elf})
    machine = command(qemu, hypervisor, initrd, harts=2, memory="256M")
    machine[machine.index("virt")] = f"virt,aia={aia}"
    child = spawn(machine)
    child.expect("vm far: interrupts=imsic: this machine's harts have no guest interrupt files: it gets a PLIC")
    child.expect(r"far: \d+ marks from")
    to_monitor(child)
    controller = {"none": "PLIC", "aplic": "APLIC", "aplic-imsic": "APLIC and IMSIC"}[aia]
    told = monitor(child, "exits")
    served = re.search(r" (\d+) interrupts of the machine's devices, by %s\n" % controller, told)
    assert served and 1 <= int(served.group(1)) < 100, told  # the keys so far; no interrupt repeats for ever
    child.send("\r")
    child.send("x")  # the guest waits for it
    child.expect(r"far: done: \d+ met, 0 missed")
    ends_well(child)


def tree_text(qemu, tree):
    """The machine's own device tree, as text."""
    machine = [*qemu, "-M", f"virt,dumpdtb={tree}", "-cpu", "rv64", "-m", "512M", "-display", "none"]
    subprocess.run(machine, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", tree], check=True, capture_output=True,
                          text=True).stdout


def write_tree(tree, text):
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree], input=text, check=True, text=True)


def listed_extensions(qemu, tree):
    """The machine's own device tree with riscv,isa-extensions in riscv,isa's stead."""
    text = tree_text(qemu, tree)
    isa = re.search(r'riscv,isa = "rv64([a-z]+)((?:_\w+)*)";', text)
    names = [*isa.group(1), *isa.group(2).split("_")[1:]]
    text = re.sub(r'riscv,isa-(base|extensions) = .*;\n', "", text)
    text = text.replace(isa.group(0), 'riscv,isa-base = "rv64i"; riscv,isa-extensions = %s;'
                        % ", ".join('"%s"' % name for name in names))
    write_tree(tree, text)


@pytest.mark.parametrize("apart", [False, True])
def test_many_reserved_ranges(hypervisor, tmp_path, apart):
    """Ranges inside another use no entry. With too many ranges the hypervisor does not boot: no guest may get one as
    RAM."""
    tree = tmp_path / "tree"
    ranges = [(0x90000000, 0x1000 if apart else 0x1000000)]
    ranges += [(0x90000000 + 0x10000 * i, 0x1000) for i in range(1, 41)]
    text = "".join(f"/memreserve/ {at:#x} {size:#x};\n" for at, size in ranges)
    write_tree(tree, tree_text(QEMU12, tree).replace("/dts-v1/;\n", "/dts-v1/;\n" + text, 1))
    status, output = run(command(QEMU12, hypervisor, OUT / "demo.cpio", more=["-dtb", str(tree)]))
    if apart:
        assert status == 1 and "hv: this machine reserves more than 32 ranges of memory" in output, output[-1500:]
    else:
        assert status == 0 and [line for line in output.splitlines() if line in LINES] == LINES, output[-1500:]


def test_harts_that_list_their_extensions(hypervisor, qemu, tmp_path):
    tree = tmp_path / "tree"
    listed_extensions(qemu, tree)
    status, output = run(command(qemu, hypervisor, OUT / "demo.cpio", more=["-dtb", str(tree)]))
    assert status == 0 and [line for line in output.splitlines() if line in LINES] == LINES, output[-1500:]
    assert re.search(r"guests get rv64imafdc_\S*_sstc, ", output)


def test_thirty_two_guests(hypervisor, tmp_path):
    """The maximum of guests, on two harts: each has its own memory and gets its turn."""
    elf = compiled("far", tmp_path, START="0x80400000ul", END="0x80800000ul", STEP="0x10000ul", TREE="0x8000ul")
    manifest = "".join(f"vm g{i} mem=8M kernel=far.elf base=0x80000000\n" for i in range(32))
    initrd = cpio(tmp_path / "i", {"manifest": manifest, "far.elf": elf})
    machine = command(QEMU12, hypervisor, initrd, "mux=lines", harts=2, memory="512M")
    child = spawn(machine)
    marked = set()
    while len(marked) < 32:
        child.expect(r"(g\d+): far: 64 marks from")
        marked.add(child.match.group(1))
    to_monitor(child)
    child.send("vms\r")
    child.expect("hv> ")
    assert len(re.findall(r"hv: +\d+ g\d+ +running +1 vCPUs", child.before)) == 32, child.before
    child.send("quit\r")
    ends_well(child)
