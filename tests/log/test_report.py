"""The page of tools/report: complete, valid for any output of a guest, and displayed by a real browser without a
network."""
import html
import html.parser
import json
import random
import re
import shutil
import subprocess

import pytest

from tests.support import LIMIT, TOP

REPORT = TOP / "tools/report"


class Page(html.parser.HTMLParser):
    """A page as a browser parses it: the contents of its script elements, and every address in it."""

    def __init__(self, path):
        super().__init__()
        self.scripts, self.addresses, self.script = [], [], None
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "srcset")]
        if tag == "script":
            self.script = (dict(attrs).get("type"), [])

    def handle_data(self, data):
        if self.script:
            self.script[1].append(data)

    def handle_endtag(self, tag):
        if tag == "script":
            self.scripts.append((self.script[0], "".join(self.script[1])))
            self.script = None

    def data(self):
        (text,) = [text for kind, text in self.scripts if kind == "application/json"]
        return json.loads(text)


@pytest.fixture
def reported(vmm, scratch):
    def run(*args, **options):
        result = vmm.run("--log", scratch / "log.json", *args, **options)
        subprocess.run([REPORT, scratch / "log.json", scratch / "report.html"], check=True)
        return result, Page(scratch / "report.html")
    return run


def test_what_is_in_it(reported):
    result, page = reported("@hello")
    (guest,) = page.data()["guests"]
    (vcpu,) = guest["vcpus"]
    assert result.status == 0 and vcpu["exits"] == 13 and vcpu["dropped"] == 0
    assert len(vcpu["records"]) == 6 * 13
    assert guest["kinds"] == [["hypercall.PUTCHAR", "hypercall", "write"], ["hypercall.EXIT", "hypercall", "write"]]
    assert [text for _, text in guest["output"]] == ["Hello, KVM!\n"]
    assert sum(count for _, count, _ in guest["functions"]) == 13
    assert vcpu["guestNs"] > 0 and vcpu["vmmNs"] > 0 and page.data()["durationNs"] > 0
    assert dict(guest["counters"])["exits"] >= 13 and guest["end"] == "ended by itself"


def test_what_was_dropped(reported):
    """The totals are those of the whole run, even if the log has only a part of it."""
    _, page = reported("--log-size", "100", "--max-exits", "1234", "@storm")
    (guest,) = page.data()["guests"]
    (vcpu,) = guest["vcpus"]
    assert (vcpu["exits"], vcpu["dropped"], len(vcpu["records"])) == (1234, 1134, 600)
    assert sum(count for _, count, _ in guest["functions"]) == 1234
    assert guest["kinds"] == [["POST.code", "POST", "write"]]


def test_the_option_names_the_tool(vmm, scratch):
    result = vmm.run("--report", scratch / "page.html", "@hello")
    assert (result.status, result.out) == (2, b"") and not (scratch / "page.html").exists(), result
    assert "tools/report FILE.json %s" % (scratch / "page.html") in result.err and len(result.err.splitlines()) == 1


def test_pipes(vmm, scratch):
    vmm.run("--log", scratch / "log.json", "@hello")
    log = (scratch / "log.json").read_bytes()
    done = subprocess.run([REPORT, "-", "-"], input=log, stdout=subprocess.PIPE, check=True)
    (scratch / "page.html").write_bytes(done.stdout)
    assert len(Page(scratch / "page.html").data()["guests"]) == 1


def fails(*args):
    done = subprocess.run([REPORT, *args], capture_output=True, check=False, text=True)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr, done
    return done.stderr


def test_what_is_no_log(vmm, scratch):
    """One line, a status, and no page."""
    log, page = scratch / "log.json", scratch / "page.html"
    vmm.run("--log", log, "@hello")
    whole = log.read_text(encoding="utf-8")
    assert "No such file" in fails(scratch / "none", page)
    assert "No such file" in fails(log, scratch / "none" / "page")
    assert "No space left" in fails(log, "/dev/full")
    broken = [
        ("", "not JSON"),
        (whole[:len(whole) // 2], "cut short"),
        ("[]", "not a log"),
        ("{}", "otherData"),
        ("[" * 100000, "not a log"),
        (whole.replace('"kvm-vmm"', '"perf"'), "another program"),
        (whole.replace('"dur":', '"dur":-'), "not a log"),
        (whole.replace('"ts":', '"ts":1e999,"x":'), "not a log"),
    ]
    for content, message in broken:
        log.write_text(content, encoding="utf-8")
        assert message in fails(log, page)
    log.write_bytes(b"\xff\xfe")
    assert "not a log" in fails(log, page)
    assert not page.exists()


def test_logs_with_bytes_changed(vmm, scratch, soak):
    """For any contents of the log, the tool ends with a complete page or one line of error."""
    log, page = scratch / "log.json", scratch / "page.html"
    vmm.run("--log", log, "@hello")
    whole, dice = log.read_bytes(), random.Random(1)
    for _ in range(soak(25, 1000)):
        text = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            at, size = dice.randrange(len(text)), dice.randint(0, 3)
            text[at:at + size] = dice.choices(b'0123456789-{}[],":\\abcefx<>\xff', k=dice.randint(0, 4))
        log.write_bytes(text)
        page.unlink(missing_ok=True)
        done = subprocess.run([REPORT, log, page], capture_output=True, check=False, text=True)
        assert done.returncode in (0, 1) and "Traceback" not in done.stderr, (bytes(text), done.stderr)
        if done.returncode == 0:
            assert len(Page(page).scripts) == 2 and "guests" in Page(page).data(), bytes(text)
        else:
            assert len(done.stderr.splitlines()) == 1, done.stderr


def test_it_asks_nobody(reported, scratch):
    """The page has no address, and a policy that forbids all requests."""
    _, page = reported("@hello")
    text = (scratch / "report.html").read_text(encoding="utf-8")
    assert page.addresses == [] and "default-src 'none'" in text
    assert not re.search(r"https?:|//cdn|@import|url\(", text)


@pytest.mark.parametrize("guest", ["hostile", "hctest"])
def test_hostile_output_stays_text(reported, scratch, guest):
    """The page has two scripts, as always: the data, which is JSON, and the page's code. The guest's output is in the
    data, byte by byte."""
    result, page = reported("@" + guest, stdin=b"\xff")
    assert result.status == 0 and [kind for kind, _ in page.scripts] == ["application/json", None], result
    (data,) = page.data()["guests"]
    expected = result.out.decode("utf-8", "replace")
    assert "".join(text for _, text in data["output"]) == expected
    events = json.loads((scratch / "log.json").read_text(encoding="utf-8"))["traceEvents"]
    assert "".join(e["name"] for e in events if e.get("cat") == "output") == expected


def test_a_hostile_name(reported, vmm, scratch):
    image = scratch / "<img src=x onerror=alert(1)>.bin"
    shutil.copy(vmm.guest("hello"), image)
    result, page = reported(image)
    assert result.status == 0 and page.data()["guests"][0]["name"] == str(image), result
    assert len(page.scripts) == 2 and page.addresses == []


def chromium(page, scratch, *options):
    """Opens the page in a headless Chromium without a network, and returns its output."""
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
               "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=%s" % (scratch / "chromium"),
               "--window-size=1500,1200", "--virtual-time-budget=5000", "--enable-logging=stderr", *options,
               "file://%s" % page]
    return subprocess.run(command, capture_output=True, check=False, timeout=LIMIT, stdin=subprocess.DEVNULL)


@pytest.mark.full("Chromium")
@pytest.mark.parametrize("guests", [["@hostile"], ["@hello", "@multiplication", "@fibonacci", "@hostile"]])
def test_in_chromium(reported, scratch, guests):
    """Checks the page's text after its code has run; an error in the code, or a title set by the guest, would be in
    it."""
    result, page = reported(*guests)
    done = chromium(scratch / "report.html", scratch, "--dump-dom")
    dom, log = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    exits = sum(g["vcpus"][0]["exits"] for g in page.data()["guests"])
    assert result.status == 0 and "CONSOLE" not in log, log
    assert re.search(r"<title>[^<]*: kvm-vmm report</title>", dom)
    assert "<b>{:,}</b><span>exits to the VMM".format(exits) in dom
    assert "hypercall.PUTCHAR ←" in dom and re.search(r"<button [^>]*>.*hypercall [0-9,]+</button>", dom)
    first = page.data()["guests"][0]["output"]
    assert dom.count("<time>") == len(first)


@pytest.mark.full("Chromium")
def test_it_can_be_used(reported, scratch):
    """Uses the mouse on an exit, drags and clicks; a key, a line of the output, the legend, the colour scheme: see
    use.js."""
    _, page = reported("@hello")
    used = scratch / "used.html"
    text = (scratch / "report.html").read_text(encoding="utf-8")
    script = (TOP / "tests/log/use.js").read_text(encoding="utf-8")
    used.write_text(text.replace("</script>\n</body>", script + "</script>\n</body>"), encoding="utf-8")
    done = chromium(used, scratch, "--dump-dom")
    dom = done.stdout.decode("utf-8", "replace")
    assert "CONSOLE" not in done.stderr.decode("utf-8", "replace"), done.stderr
    said = json.loads(html.unescape(re.search(r'<pre id="said">(.*?)</pre>', dom, re.S).group(1)))
    tip = said.pop("tip")
    assert tip.startswith("hypercall.PUTCHAR\nexit 1 of vCPU 0, at ") and "write 0x1\ncost " in tip, tip
    assert said == {"zoomed": True, "all": True, "here": "Hello, KVM!", "key": 0.5, "cursor": True, "hidden": 13,
                    "scheme": "dark"}


@pytest.mark.full("Chromium")
def test_a_picture_of_it(reported, scratch):
    """Both colour schemes are drawn, and differ; the canvases are not empty: they have many colours, in many places."""
    reported("@multiplication")
    sizes = []
    for name, options in (("light", []), ("dark", ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"])):
        picture = scratch / (name + ".png")
        chromium(scratch / "report.html", scratch, "--screenshot=%s" % picture, *options)
        sizes.append(picture.read_bytes())
        assert sizes[-1].startswith(b"\x89PNG") and len(sizes[-1]) > 20000
    assert sizes[0] != sizes[1]
