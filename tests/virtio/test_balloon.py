"""virtio-balloon under Debian's kernel: memory that the guest has used and freed returns to the host, also after its
driver has reset the device while free pages were reported; and the host's requests by the control socket."""
from tests.support import lab_run

# Runs the VMM until its guest has filled memory, and until most of that has returned, and prints both sizes; then
# requests more.
WATCH = """
import os, re, subprocess, sys, tempfile, time
where = "unix:" + tempfile.mkdtemp(dir="/var/tmp") + "/s"
def ctl(*words):
    done = subprocess.run([sys.argv[1], "ctl", where, *words], capture_output=True, text=True)
    return done.stdout + done.stderr
vmm = subprocess.Popen([sys.argv[1], "--control", where, *sys.argv[2:]], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE)
def size():
    return int(open("/proc/%d/statm" % vmm.pid).read().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20
for line in vmm.stdout:
    os.write(1, line)
    if line.strip() == b"filled":
        full = size()
    if line.strip() == b"freed":
        break
while vmm.poll() is None and size() > full - 100:
    time.sleep(0.2)
print("full", full, "then", size() if vmm.poll() is None else "nothing", flush=True)
print(ctl("balloon", "100G"), ctl("balloon", "lots"), file=sys.stderr)
for size in 50 << 20, 0:
    assert ctl("balloon", str(size)) == ""
    while vmm.poll() is None and "balloon_given: %d\\n" % size not in ctl("status"):
        time.sleep(0.2)
assert "balloon_asked: 0" in ctl("status")
vmm.terminate()
sys.exit(vmm.wait())
"""


def test_free_memory_comes_back(linux, modules):
    drivers = modules("virtio_mmio", "virtio_balloon")
    script = ("mkdir -p /mnt; mount -t tmpfs none /mnt; cd /sys/bus/virtio/drivers/virtio_balloon; "
              "for i in 1 2; do echo 0 > /sys/module/page_reporting/parameters/page_reporting_order; sleep 2; "
              "echo virtio0 > unbind; echo virtio0 > bind; done; "
              "dd if=/dev/zero of=/mnt/f bs=1M count=128 2>/dev/null; echo filled; rm /mnt/f; echo freed; sleep 1000")
    command = linux.command("cloud", *drivers, "--balloon", run=script, memory="320M")
    result = lab_run("/usr/bin/python3", "-c", WATCH, *command)
    words = result.out.decode("utf-8", "replace").split()
    assert result.status == 128 + 15 and words[-4] == "full" and words[-2] == "then", result
    assert "needs a reset" not in result.err, result
    assert "less memory" in result.err and "not a size" in result.err, result
    assert int(words[-1]) <= int(words[-3]) - 100, result
