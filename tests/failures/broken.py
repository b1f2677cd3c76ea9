"""The broken guests: the expected diagnosis in each source, its image, and QEMU's log of it."""
import re
import subprocess
from pathlib import Path

from tests.support import LIMIT, TOP, lab_run

HERE = Path(__file__).resolve().parent
OUT = TOP / "build/broken"
SOURCES = TOP / "kvm-vmm-x86/guest/broken"
BITS = {"real": 16, "protected": 32, "long": 64}
FLAGS = {"real": [], "protected": ["-p"], "long": ["-l"]}
LOAD = {"real": 0, "protected": 0x1000, "long": 0x100000}


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, stdin=subprocess.DEVNULL, **options)


def newer(target, *sources):
    return target.exists() and target.stat().st_mtime > max(Path(s).stat().st_mtime for s in sources)


class Broken:
    """One guest. Its fields are those in the first comment of its source; see broken.inc."""

    def __init__(self, source):
        self.source = Path(source)
        self.name = str(self.source.relative_to(SOURCES).with_suffix(""))
        opening = self.source.read_text().split("*/")[0]
        fields = dict(re.findall(r"^ \* (Mode|Options|Status|Fault|Chain|Says|QEMU): (.*)$", opening, re.M))
        self.mode = fields["Mode"]
        self.options = fields.get("Options", "").split()
        self.status = int(fields.get("Status", "126"))
        self.says = [phrase.strip() for phrase in fields["Says"].split(" | ")]
        self.chain = [int(vector, 16) for vector in fields.get("Chain", "").split()]
        remark = fields.get("QEMU", "")
        self.qemu = not remark.startswith("no,")
        self.fault = None
        if "Fault" in fields:
            vector, error, place, _, cr2 = re.fullmatch(
                r"(\d+) (\S+) at (\S+)( CR2 (\S+))?", fields["Fault"]).groups()
            self.fault = (int(vector), None if error == "-" else int(error, 16), place, cr2 and int(cr2, 16))
            self.qemu_error = int(remark.split()[1].strip(","), 16) if remark.startswith("error ") else self.fault[1]

    @property
    def elf(self):
        return OUT / (self.name + ".elf")

    @property
    def flat(self):
        return OUT / (self.name + ".bin")

    @property
    def image(self):
        return self.elf if self.mode == "long" else self.flat

    def place(self):
        """The address of the fault's place, and its name, if it has one."""
        place = self.fault[2]
        if place.startswith("0x"):
            return int(place, 16), None
        symbols = run("nm", self.elf, capture_output=True, text=True).stdout
        return int(re.search(r"^(\w+) \w %s$" % place, symbols, re.M)[1], 16), place

    def command(self):
        return [*FLAGS[self.mode], *self.options, "--symbols", self.elf, self.image]

    def qemu_log(self):
        """QEMU's log of the exceptions, from the guest's first instruction to its end."""
        bits = BITS[self.mode]
        rom, log = OUT / ("rom%d.bin" % bits), OUT / (self.name + ".qemu")
        if not newer(rom, HERE / "rom.S"):
            run("gcc", "-m32", "-c", "-DMODE=%d" % bits, HERE / "rom.S", "-o", rom.with_suffix(".o"))
            run("ld", "-m", "elf_i386", "-Ttext=0", "-e", "0", rom.with_suffix(".o"), "-o", rom.with_suffix(".elf"))
            run("objcopy", "-O", "binary", "-j", ".text", rom.with_suffix(".elf"), rom)
        run("qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-M", "pc", "-m", "64", "-nodefaults",
            "-display", "none", "-no-reboot", "-bios", rom, "-d", "int,cpu_reset", "-D", log,
            "-device", "loader,file=%s,addr=%#x,force-raw=on" % (self.flat, LOAD[self.mode]), timeout=LIMIT)
        return log.read_text(errors="replace")


class Runs:
    """How the guests ended in the VMM. The guests of one mode run together, since each call of the lab takes long. A
    guest that hangs is the last of its run."""

    SECONDS = 200  # a guest that runs longer hangs
    SCRIPT = """while read -r name command; do
        eval "timeout -s KILL %d $VMM $command" > $OUT/$name.out 2> $OUT/$name.err < /dev/null; status=$?
        echo $status > $OUT/$name.status; [ $status != 137 ] || break
    done < %s"""

    def __init__(self):
        self.done = {}

    def of(self, vmm, guest, guests):
        if guest.name not in self.done:
            self.run(vmm, [g for g in guests if g.mode == guest.mode and g.name not in self.done])
        return self.done[guest.name]

    def run(self, vmm, guests):
        todo = OUT / (guests[0].mode + ".list")
        todo.write_text("".join("%s %s\n" % (g.name, " ".join(map(str, g.command()))) for g in guests))
        ends = {g.name: OUT / (g.name + ".status") for g in guests}
        for path in ends.values():
            path.unlink(missing_ok=True)
        lab_run("sh", "-c", self.SCRIPT % (self.SECONDS, todo), env={"VMM": str(vmm.program), "OUT": str(OUT)},
                limit=LIMIT + self.SECONDS * len(guests))
        self.done.update((name, (int(path.read_text()), path.with_suffix(".err").read_text(errors="replace")))
                         for name, path in ends.items() if path.exists())


def build():
    run("make", "-s", "-C", SOURCES.parents[1], "broken")


def all_guests():
    return [Broken(source) for source in sorted(SOURCES.glob("*/*.S"))]
