"""Starts of the lab's machines: with nothing fetched or built, for an ordinary user; and machines that do not start."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.lab.test_lab import ENVIRONMENT, LIMIT, TOP, lab


def checkout(folder):
    """A second checkout, with the downloads of this one."""
    ignore = shutil.ignore_patterns("build", ".git", "__pycache__", "*.elf", "*.bin")
    for part in ("abi", "common", "initramfs", "lab", "mk", "tools"):
        shutil.copytree(TOP / part, folder / part, ignore=ignore)
    for part in ("kernels/*generic*", "machine-*/*"):
        for path in (TOP / "build/downloads").glob(part):
            copy = folder / path.relative_to(TOP)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    return folder


def slow_archive(folder, package):
    """apt-cache and apt-get to put into PATH: their archive has only this kernel package, and they record each
    download."""
    folder.mkdir()
    (folder / "apt-cache").write_text("#!/bin/sh\necho '  Depends: %s'\n" % package.name.split("_")[0])
    (folder / "apt-get").write_text("""#!/bin/sh
case $* in
*--print-uris*) echo "'http://archive/%s' %s 1 SHA256:0" ;;
*) echo get >> %s/log; sleep 1; cp %s . ;;
esac
""" % (package.name, package.name, folder, package))
    for tool in folder.glob("apt-*"):
        tool.chmod(0o755)
    return folder / "log"


def test_two_machines_of_a_checkout_start_at_once_from_nothing():
    """Shared files are fetched and built once. The two processes of `make check` start like this."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = checkout(Path(name) / "fresh")
        package = next((folder / "build/downloads").glob("machine-*/linux-image-*.deb"))
        package = package.rename(Path(name) / package.name)
        shutil.rmtree(folder / "build/downloads")
        log = slow_archive(Path(name) / "bin", package)
        environments = [dict(ENVIRONMENT, LAB_NAME=which, PATH="%s/bin:%s" % (name, os.environ["PATH"]))
                        for which in ("first", "second")]
        both = [subprocess.Popen([folder / "lab/lab", "run", "echo", "up"], env=environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for environment in environments]
        try:
            for process in both:
                out, err = process.communicate(timeout=LIMIT)
                assert (process.returncode, out) == (0, b"up\n"), err
            assert log.read_text() == "get\n"
        finally:
            for environment in environments:
                subprocess.run([folder / "lab/lab", "down"], env=environment, check=False)


def test_a_second_checkout_of_an_ordinary_user():
    """It has its own machine, with the user's permissions and not root's, at the same time as this one's."""
    user = 54321 if os.geteuid() == 0 else os.geteuid()
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = checkout(Path(name) / "second")
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "%d:%d" % (user, user), name], check=True)
        options = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 else {}
        environment = dict(ENVIRONMENT, HOME=name)
        environment.pop("XDG_RUNTIME_DIR", None)

        def theirs(*words):
            return subprocess.run([folder / "lab/lab", *words], cwd=folder, capture_output=True, env=environment,
                                  stdin=subprocess.DEVNULL, timeout=LIMIT, **options)
        try:
            done = theirs("run", "sh", "-c",
                          "id -u; echo lab > made; test -w /dev/kvm && echo kvm; touch /etc/x || echo no")
            assert done.stdout.decode().split() == [str(user), "kvm", "no"], done.stderr
            assert ((folder / "made").read_text(), (folder / "made").stat().st_uid) == ("lab\n", user)
            assert lab("run", "echo", "ours").stdout == b"ours\n"
            assert theirs("run", "cat", "made").stdout == b"lab\n"
        finally:
            theirs("down")


def test_machine_that_stops_while_it_boots_is_replaced_once(tmp_path):
    qemu, starts = tmp_path / "qemu-system-x86_64", tmp_path / "starts"
    for ready, status in ((2, 0), (3, 125)):  # the attempt that gets ready; there is no third one
        qemu.write_text("#!/bin/bash\necho >> %s\n[ $(wc -l < %s) = %d ] && echo 'lab: ready' || echo stuck\n"
                        "exec sleep 999\n" % (starts, starts, ready))
        qemu.chmod(0o755)
        for limit in "2", "15", "60":  # a busy machine needs the longer ones to start a script
            environment = dict(ENVIRONMENT, LAB_NAME="boot", LAB_BOOT=limit,
                               PATH="%s:%s" % (tmp_path, os.environ["PATH"]))
            starts.write_text("")
            done = lab("up", env=environment)
            lab("down", env=environment)
            if (done.returncode, starts.read_text()) == (status, "\n\n") and b"stuck" in done.stderr:
                break
        assert (done.returncode, starts.read_text()) == (status, "\n\n"), done.stderr
        assert b"not ready after %s s" % limit.encode() in done.stderr and b"stuck" in done.stderr


def test_machine_that_cannot_start():
    done = lab("run", "true", env=dict(ENVIRONMENT, LAB_NAME="big", LAB_MEM="9999999"))
    assert done.returncode == 125 and b"did not start" in done.stderr and b"memory" in done.stderr
