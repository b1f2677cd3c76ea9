"""Packages of Debian's archive, and guests that run to a given output and are then stopped."""
import re
import subprocess

from tests.support import TOP, lab_run, lab_terminal

BY_SERIAL = "serial --unit=0\nterminal_output serial\nterminal_input serial\n"  # for GRUB
PATIENCE = 900  # seconds; a guest is stopped earlier once it has printed the output


def unpacked(folder, package):
    """A package of Debian 12's, unpacked."""
    deb = subprocess.run([TOP / "tools/fetch-deb", "bookworm", "amd64", package], check=True, capture_output=True,
                         text=True, stdin=subprocess.DEVNULL).stdout.split()[-1]
    subprocess.run(["dpkg-deb", "-x", deb, folder / package], check=True)
    return folder / package


def grub(folder, form, words, *modules, where=None):
    """GRUB's core for a platform, with commands inside."""
    (folder / "words.cfg").write_text(words)
    more = ["-d", where] if where else []
    subprocess.run(["grub-mkimage", *more, "-O", form, "-p", "/", "-c", folder / "words.cfg", "-o", folder / "core.img",
                    *modules], check=True)
    return folder / "core.img"


def reaches(vmm, *args, words):
    """Checks that the guest prints these words, in this order, and stops it. Firmware moves the cursor inside words."""
    session = lab_terminal(*vmm.command("--timeout", PATIENCE, *args))
    for word in words:
        session.expect(rb"(?:\x1b\[[0-9;]*[A-Za-z])*".join(re.escape(c.encode()) for c in word), timeout=PATIENCE)
    session.close(force=True)


LOOK = """vmm=$1 word=$2 socket=/var/tmp/screen-$$  # not in /tmp, which the lab's machine shares
shift 2
"$vmm" --control "unix:$socket" "$@" < /dev/null &
until "$vmm" ctl "unix:$socket" screen 2> /dev/null | grep -m 1 -e "$word"; do kill -0 $! || exit 1; sleep 1; done
"$vmm" ctl "unix:$socket" stop && wait $!
"""


def shows(vmm, *args, word):
    """Checks that the guest has this word on its text screen, and stops it."""
    result = lab_run("sh", "-c", LOOK, "sh", vmm.program, word, *vmm.command("--timeout", PATIENCE, *args)[1:],
                     limit=2 * PATIENCE)
    assert word.encode() in result.out, result
