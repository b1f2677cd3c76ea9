"""kvm-vmm run --each: a machine that boots once and is forked for each line of a file."""
from xml.etree import ElementTree

from tests.support import lab_run


def test_each_line(words, scratch):
    """With an overlay on a disk, four lines at once: in order whatever ends first, each with its own status and
    streams, nothing of the others, and a test case of its own."""
    names = ["slow", "two words", "", "long", "fails", "killed", "missing"]
    (scratch / "lines").write_text("\n".join(names))
    (scratch / "disk").write_bytes(b"as it was   " + bytes((1 << 20) - 12))
    script = ('name=$1; test -e /tmp/mine && echo not alone; touch /tmp/mine; head -c 9 /dev/vda; echo; '
              'echo "$name" > /dev/vda; sync; cat; echo "out $name $2"; echo "err $name" >&2; '
              'case $name in slow) sleep 3;; long) head -c 300000 /dev/zero | tr "\\0" x; echo;; fails) exit 3;; '
              'killed) kill -9 $$;; missing) exec no-such-program;; esac')
    options = ["--each", scratch / "lines", "-j", "4", "--disk", "%s,overlay" % (scratch / "disk")]
    report = "junit:%s" % (scratch / "report")
    result = lab_run(*words(*options, "--output", report, "--", "sh", "-c", script, "x", "{}", "-{}-{}"), limit=900)
    long = {"long": "x" * 300000 + "\n"}
    expected = "".join("as it was\nout %s -%s-%s\n%s" % (n, n, n, long.get(n, "")) for n in names)
    assert result.status == 1 and result.out.decode() == expected, (result.err, result.out[:2000])
    err = [line for line in result.err.splitlines() if line.startswith(("err ", "kvm-vmm"))]
    assert err == ["err slow", "err two words", "err ", "err long", "err fails", "kvm-vmm run: fails: status 3",
                   "err killed", "kvm-vmm run: killed: status 137", "err missing", "kvm-vmm run: missing: status 127",
                   "kvm-vmm run: 7 of 7 lines: 4 with status 0, 3 without"], result.err
    suite = ElementTree.parse(scratch / "report").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "3", "0")
    assert [case.get("name") for case in suite.iter("testcase")] == names
    assert suite.find("testcase[@name='long']/system-out").text.startswith("[")
    assert suite.find("testcase[@name='fails']/failure").get("message") == "exited with status 3"
    assert (scratch / "disk").read_bytes().startswith(b"as it was")


def test_what_is_refused(words, scratch):
    (scratch / "lines").write_text("x\n")
    (scratch / "long").write_text("y" * 4001)
    (scratch / "zero").write_bytes(b"x\0y\n")
    for options, command, why in ((["--each", "lines"], ["true"], "no word of COMMAND has {}"),
                                  (["-j2"], ["true"], "--jobs goes with --each"),
                                  (["--each", "lines", "-j", "0"], ["{}"], "from 1 to 64"),
                                  (["--each", "lines", "--jobs=65"], ["{}"], "from 1 to 64"),
                                  (["--each", "lines", "--stats"], ["{}"], "--stats"),
                                  (["--each", "nowhere"], ["{}"], "nowhere"),
                                  (["--each", "long"], ["{}"], "line 1 is longer"),
                                  (["--each", "zero"], ["{}"], "no text")):
        result = lab_run(*words(*options, "--", *command), cwd=scratch)
        assert result.status in (2, 125) and why in result.err and result.out == b"", (options, result)
