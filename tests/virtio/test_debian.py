"""Debian itself, from a disk: it boots to a login, reaches a server on the host and powers off."""
import json
import os
import shutil
import subprocess
import zlib

import pytest

from tests.support import TOP, lab_run

PACKAGES = "systemd-sysv,udev,login,passwd,iproute2,curl"

# A server, and a person at the serial port.
HOST = r"""
import hashlib, http.server, json, sys, threading, pexpect
data = hashlib.sha512(b'debian').digest() * (1 << 17)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
command = json.loads(sys.argv[1])
vmm = pexpect.spawn(command[0], command[1:], timeout=1500)
vmm.logfile_read = sys.stdout.buffer
vmm.expect(rb'login: ')
vmm.send(b'root\r')
vmm.expect(rb'# ')
vmm.send(b'curl -sf --retry 60 --retry-all-errors --retry-delay 2 http://10.0.2.2:%d/ | sha256sum\r'
         % server.server_port)
vmm.expect(rb'([0-9a-f]{64})  -\r')
assert vmm.match.group(1).decode() == hashlib.sha256(data).hexdigest()
vmm.send(b'systemctl poweroff\r')
vmm.expect(pexpect.EOF)
vmm.close()
sys.exit(vmm.exitstatus)
"""

# Like Debian's own ramdisk, in five lines.
INIT = """#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
while read -r module; do busybox insmod /modules/$module; done < /modules/order
until [ -b /dev/vda ]; do busybox sleep 0.1; done
busybox mount -t ext4 /dev/vda /root
exec busybox switch_root /root /sbin/init
"""

# On a busy host an emulated machine may need minutes for a step that systemd limits to 90 seconds: then it finds no
# serial port, and starts no login.
HOOK = """
chroot "$1" passwd -qd root
mkdir "$1/etc/systemd/system.conf.d"
printf '[Manager]\\nDefaultTimeoutStartSec=1h\\nDefaultDeviceTimeoutSec=1h\\n' \\
    > "$1/etc/systemd/system.conf.d/slow.conf"
chroot "$1" systemctl -q mask getty-static.service systemd-update-utmp-runlevel.service
printf '[Match]\\nName=e*\\n[Network]\\nDHCP=ipv4\\n' > "$1/etc/systemd/network/lan.network"
chroot "$1" systemctl -q enable systemd-networkd
rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*
"""

# Kept for the next run; another list of packages, or another hook, gives another name.
IMAGE = TOP / "build/downloads" / ("debian-root-%08x.ext4" % zlib.crc32((PACKAGES + HOOK).encode()))


def mirror(suite):
    """This machine's mirror of the suite; empty: mmdebstrap uses Debian's own."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
                           "Codename: " + suite], check=False, capture_output=True, text=True)
    return done.stdout.split()[:1]


def make_image(suite, scratch):
    """The root filesystem, as debootstrap makes it."""
    root, part = scratch / "root", IMAGE.with_suffix(".part")
    hook = scratch / "hook"
    hook.write_text("#!/bin/sh\nset -e\n" + HOOK)
    hook.chmod(0o755)
    done = subprocess.run(["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--include=" + PACKAGES,
                           "--customize-hook=%s" % hook, suite, root, *mirror(suite)],
                          check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    IMAGE.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-d", root, part, "1G"], check=True)
    part.rename(IMAGE)


@pytest.mark.full("Debian's root filesystem from a mirror")
def test_debian_from_a_disk(linux, modules, scratch):
    if not IMAGE.exists():
        if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
            pytest.skip("the root filesystem needs root, and mmdebstrap")
        make_image("bookworm", scratch)
    (scratch / "init").write_text(INIT)
    content = ("dir /bin 755\ndir /dev 755\ndir /root 755\ndevice /dev/console 600 5 1\n"
               "file /bin/busybox 755 /bin/busybox\nfile /init 755 init\n")
    layer = modules("virtio_mmio", "virtio_blk", "virtio_net", "af_packet", "autofs4")
    with open(scratch / "init.cpio", "wb") as archive:
        subprocess.run([TOP / "build/initramfs/pack"], input=content.encode(), cwd=scratch, stdout=archive, check=True)
    command = [linux.vmm.program, "-m", "512M", "--net", "user", "--disk", "%s,overlay" % IMAGE,
               "--initrd", scratch / "init.cpio", *layer, "--append", "quiet", "--timeout", "1700",
               linux.kernel("cloud")]
    result = lab_run("/usr/bin/python3", "-c", HOST, json.dumps([str(word) for word in command]), limit=1800)
    assert result.status == 0 and b"login: " in result.out, result
