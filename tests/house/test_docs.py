"""What the documents say of programs is what the programs say of themselves."""
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def long_options(text):
    return set(re.findall(r"--[a-z][a-z-]+", text.replace("\\-", "-")))


GONE = {"--report"}  # parsed only to say what to use instead


def test_the_manual_has_every_option_and_no_other():
    """Checked against the table that parses them."""
    source = (TOP / "kvm-vmm-x86/src/options/options.c").read_text()
    parsed = {"--" + name for name in re.findall(r'^    \{"([a-z-]+)", (?:no|required)_argument', source, re.M)}
    assert parsed
    assert long_options((TOP / "docs/kvm-vmm.1").read_text()) == parsed - GONE


def test_readme_names_files_that_exist():
    text = (TOP / "README.md").read_text()
    links = [link for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    assert links
    for link in links:
        assert (TOP / link).exists(), link
