"""The page of --report: whole, valid whatever the guest printed, and drawn by a real browser with no network."""
import html
import html.parser
import json
import re
import shutil
import subprocess

import pytest

from tests.support import TOP

class Page(html.parser.HTMLParser):
    """A page as a browser takes it apart: what its script elements hold, and every address in it."""

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
        result = vmm.run("--report", scratch / "report.html", *args, **options)
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


def test_it_asks_nobody(reported, scratch):
    """No address in it, and a policy that forbids all."""
    _, page = reported("@hello")
    text = (scratch / "report.html").read_text(encoding="utf-8")
    assert page.addresses == [] and "default-src 'none'" in text
    assert not re.search(r"https?:|//cdn|@import|url\(", text)


@pytest.mark.parametrize("guest", ["hostile", "hctest"])
def test_hostile_output_stays_text(reported, vmm, scratch, guest):
    """Two scripts, as always: the data, which is JSON, and our code. What was printed is in the data, byte by byte."""
    result, page = reported("--log", scratch / "log.json", "@" + guest, stdin=b"\xff")
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
    """Opens the page in a headless Chromium with no network, and gives what it printed."""
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
               "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=%s" % (scratch / "chromium"),
               "--window-size=1500,1200", "--virtual-time-budget=5000", "--enable-logging=stderr", *options,
               "file://%s" % page]
    return subprocess.run(command, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL)


@pytest.mark.full("Chromium")
@pytest.mark.parametrize("guests", [["@hostile"], ["@hello", "@multiplication", "@fibonacci", "@hostile"]])
def test_in_chromium(reported, scratch, guests):
    """What the page says after its code has run; an error in the code, or a title that the guest set, would show."""
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
    """The mouse points at an exit, drags, clicks; a key, a line of the output, the legend, the light: see use.js."""
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
    """Both lights are drawn, and differ; the canvases are not empty: many colours, in many places."""
    reported("@multiplication")
    sizes = []
    for name, options in (("light", []), ("dark", ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"])):
        picture = scratch / (name + ".png")
        chromium(scratch / "report.html", scratch, "--screenshot=%s" % picture, *options)
        sizes.append(picture.read_bytes())
        assert sizes[-1].startswith(b"\x89PNG") and len(sizes[-1]) > 20000
    assert sizes[0] != sizes[1]
