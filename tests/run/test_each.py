"""kvm-vmm run --each: a machine that boots once and is forked for each line of a file."""
from xml.etree import ElementTree

from tests.run.conftest import lab_run
from tests.vmm.test_control import START

# A run with a control socket, whose reader of standard error does not read for a while; and a machine that is paused
# before it is ready. argv: the program, a file of lines that fill a pipe, and the words of the run.
ASKED = START + r"""
import array, fcntl, termios
words = sys.argv[3:]
where = 'unix:' + runtime + '/s'
def run(*options):
    vmm = subprocess.Popen([program, 'run', '--control', where, '--each', image, *options, *words],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until('no socket', lambda: os.path.exists(path_of(where)) or vmm.poll() is not None)
    return vmm
vmm = run('-j', '4')
fcntl.fcntl(vmm.stderr, fcntl.F_SETPIPE_SZ, 4096)
waiting = array.array('i', [0])
def has_written():
    return fcntl.ioctl(vmm.stderr, termios.FIONREAD, waiting) == 0 and waiting[0] > 3000
until('no line is written', has_written)
done = ctl(where, 'reset')
assert done[0] == 1 and '--each' in done[2], done
until('not all have ended', lambda: subprocess.run(['pgrep', '-P', str(vmm.pid)], capture_output=True).stdout == b'')
assert state(where) == 'paused' and vmm.poll() is None, 'it waits for its reader'
err = vmm.communicate(timeout=LIMIT)[1].decode()
lines = [line for line in err.split('\n') if line]
assert vmm.returncode == 1 and lines[-1] == 'kvm-vmm run: 4 of 4 lines: 0 with status 0, 4 with another', lines[-1]
assert lines[:-1] == ['kvm-vmm run: %s: status 3' % line for line in open(image).read().split()], lines
for seconds in '3', '30', '300':  # the first that leaves the time to pause it
    vmm = run('--timeout', seconds)
    paused = ctl(where, 'pause')[0] == 0
    assert vmm.communicate(timeout=LIMIT)[0] is None and vmm.returncode == 124, vmm.returncode
    if paused:
        break
assert paused
"""


def test_each_line(words, scratch, soak):
    """With an overlay on a disk, four lines at a time. Results are in the order of the lines; each has its own status
    and streams, no data of others, and its own test case. In `make soak` one prints more than the limit."""
    floods = soak([], ["floods"])
    names = ["slow", "two words", "", "long", "fails", "killed", "missing", *floods]
    (scratch / "lines").write_text("\n".join(names))
    (scratch / "disk").write_bytes(b"as it was   " + bytes((1 << 20) - 12))
    script = ('name=$1; test -e /tmp/mine && echo not alone; touch /tmp/mine; head -c 9 /dev/vda; echo; '
              'echo "$name" > /dev/vda; sync; cat; echo "out $name $2"; echo "err $name" >&2; '
              'case $name in slow) sleep 3;; long) head -c 300000 /dev/zero | tr "\\0" x; echo;; fails) exit 3;; '
              'killed) kill -9 $$;; missing) exec no-such-program;; floods) head -c 68000000 /dev/zero;; esac')
    options = ["--each", scratch / "lines", "-j", "4", "--disk", "%s,overlay" % (scratch / "disk")]
    report = "junit:%s" % (scratch / "report")
    result = lab_run(*words(*options, "--output", report, "--", "sh", "-c", script, "x", "{}", "-{}-{}"))
    long = {"long": "x" * 300000 + "\n", "floods": "\0" * 68000000}
    whole = ["as it was\nout %s -%s-%s\n%s" % (n, n, n, long.get(n, "")) for n in names]
    expected = "".join(text[:64 << 20] for text in whole)
    assert result.status == 1 and result.out.decode() == expected, (result.err, result.out[:2000])
    err = [line for line in result.err.splitlines()
           if line.startswith(("err ", "kvm-vmm")) and not line.startswith("kvm-vmm run: kernel")]
    assert not floods or "its output cannot be written" in err.pop(11), result.err
    flood = ["err floods", "kvm-vmm run: the guest ended before the command did (it was running)",
             "kvm-vmm run: floods: status 125: it has written more than 64 MB"]
    assert err == ["err slow", "err two words", "err ", "err long", "err fails", "kvm-vmm run: fails: status 3",
                   "err killed", "kvm-vmm run: killed: status 137", "err missing", "kvm-vmm run: missing: status 127",
                   *(flood if floods else []),
                   "kvm-vmm run: %d of %d lines: 4 with status 0, %d with another"
                   % (len(names), len(names), len(names) - 4)
                   ], result.err
    suite = ElementTree.parse(scratch / "report").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == (str(len(names)), "3", str(len(floods)))
    assert [case.get("name") for case in suite.iter("testcase")] == names
    assert suite.find("testcase[@name='long']/system-out").text.startswith("[")
    assert suite.find("testcase[@name='fails']/failure").get("message") == "exited with status 3"
    assert (scratch / "disk").read_bytes().startswith(b"as it was")


def test_what_is_asked_meanwhile(vmm, tree, scratch):
    """The main loop runs while a reader does not read; --timeout applies to a machine that is paused before its
    copies."""
    (scratch / "lines").write_text("".join(letter * 3000 + "\n" for letter in "abcd"))
    words = ["--kernel", tree, "--", "sh", "-c", "exit 3", "x", "{}"]
    result = lab_run("python3", "-c", ASKED, vmm.program, scratch / "lines", *words)
    assert result.status == 0, result


def test_what_is_refused(words, scratch):
    (scratch / "lines").write_text("x\n")
    (scratch / "long").write_text("y" * 4001)
    (scratch / "zero").write_bytes(b"x\0y\n")
    for options, command, why in ((["--each", "lines"], ["true"], "no word of COMMAND has {}"),
                                  (["-j2"], ["true"], "--jobs needs --each"),
                                  (["--each", "lines", "-j", "0"], ["{}"], "from 1 to 64"),
                                  (["--each", "lines", "--jobs=65"], ["{}"], "from 1 to 64"),
                                  (["--each", "lines", "--stats"], ["{}"], "--stats"),
                                  (["--each", "lines", "--vsock", "3,unix:s"], ["{}"], "only with --control"),
                                  (["--each", "lines", "--debugcon", "d"], ["{}"], "only with --control"),
                                  (["--each", "lines", "--port", "x=file:f"], ["{}"], "only with --control"),
                                  (["--each", "nowhere"], ["{}"], "nowhere"),
                                  (["--each", "long"], ["{}"], "line 1 is longer"),
                                  (["--each", "zero"], ["{}"], "not a text file")):
        result = lab_run(*words(*options, "--", *command), cwd=scratch)
        assert result.status in (2, 125) and why in result.err and result.out == b"", (options, result)
