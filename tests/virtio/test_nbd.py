"""Disks of an NBD server: a qcow2 image by qemu-nbd; a server that dies or is silent gives I/O errors."""
import json
from pathlib import Path

from tests.support import lab_run

HOST = Path(__file__).parent / "nbd_host.py"

# Reads all, copies a part, discards another; then both servers fail.
GUEST = ("sha256sum < /dev/vda; dd if=/dev/vda of=/dev/vda bs=64k count=16 seek=16 conv=notrunc 2>/dev/null; "
         "blkdiscard -o 3145728 -l 65536 /dev/vda; dd if=/dev/zero of=/dev/vdb bs=64k count=256 2>/dev/null; sync; "
         "echo written; while dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null; do sleep 0.1; done; "
         "dd if=/dev/vdb of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null; b=$?; "
         "dd if=/dev/zero of=/dev/vda bs=4k count=1 oflag=direct 2>/dev/null; echo failed $? $b")


def test_an_image_of_qemu(linux, drivers):
    command = linux.command("cloud", *drivers, "-c", "2", "--disk", "@ONE@", "--disk", "@TWO@", run=GUEST)
    result = lab_run("/usr/bin/python3", HOST, json.dumps([str(word) for word in command]))
    assert result.status == 0 and result.out == b"all well\n", result
    assert result.err.count("disk disk0: its NBD server has gone; it has I/O errors from now on") == 1, result
    assert result.err.count("disk disk1: its NBD server does not answer; it has I/O errors from now on") == 1, result


def test_large_blocks(vmm):
    """A server with a minimum block size of 8192 bytes."""
    script = ('d=$(mktemp -d -p /var/tmp); truncate -s 1M $d/disk; qemu-nbd -k $d/s --image-opts '
              'driver=blkdebug,align=8192,image.driver=file,image.filename=$d/disk & '
              'until [ -S $d/s ] || ! kill -0 $!; do sleep 0.1; done; "$1" -l --disk nbd:unix:$d/s "$2"; s=$?; '
              'kill $!; rm -r $d; exit $s')
    result = lab_run("sh", "-c", script, "sh", vmm.program, vmm.guest("hello"))
    assert result.status == 125 and "smallest request has 8192" in result.err, result


def test_not_saved(vmm, scratch):
    """The server's data at the time of a restore are unknown, so the save is refused. The guest continues."""
    (scratch / "loop").write_bytes(b"\xeb\xfe")
    script = ('d=$(mktemp -d -p /var/tmp); truncate -s 1M $d/disk; qemu-nbd -t -k $d/s -f raw $d/disk & nbd=$!; '
              'until [ -S $d/s ] || ! kill -0 $nbd; do sleep 0.1; done; '
              '"$1" -l --control unix:$d/c --disk nbd:unix:$d/s "$2" & '
              'until "$1" ctl unix:$d/c status 2> /dev/null | grep running || ! kill -0 $!; do sleep 0.1; done; '
              '"$1" ctl unix:$d/c snapshot $d/saved; s=$?; ls $d; "$1" ctl unix:$d/c stop; kill $nbd; wait; '
              'rm -r $d; exit $s')
    result = lab_run("sh", "-c", script, "sh", vmm.program, scratch / "loop")
    assert result.status == 1 and "NBD" in result.err and b"saved" not in result.out, result


def test_refused(vmm):
    for disk, why in (("nbd:tcp:x", "expected nbd:unix:PATH"), ("nbd:unix:", "1 to 107 bytes"),
                      ("nbd:unix:/nothing/s", "No such file"), ("nbd:unix:/s,overlay", "qemu-nbd --snapshot")):
        result = lab_run(vmm.program, "-l", "--disk", disk, vmm.guest("hello"))
        assert result.status == 125 and why in result.err and result.err.count("\n") == 1, result
