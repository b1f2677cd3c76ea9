"""tools/check-style on small trees with one breach each: every rule must find its breach, and no other."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]

GOOD = {
    "abi/port.h": "/* A port. */\n#define PORT 1\n",
    "common/sum.h": "/* Sums. */\n#include <stdint.h>\n\nuint32_t sum_two(uint32_t a, uint32_t b);\n",
    "common/sum.c": '/* Sums. */\n#include "sum.h"\n\n'
                    "uint32_t sum_two(uint32_t a, uint32_t b)\n{\n    return a + b;\n}\n",
    "kvm-vmm-x86/src/vm/vm.c": '/* A machine. */\n#include "abi/port.h"\n#include "common/sum.h"\n\n'
                            "int vm_port = PORT;\n",
    "kvm-vmm-x86/src/host/files/files.c": "/* Files. */\n#include <fcntl.h>\n\nint files_mode = O_RDONLY;\n",
    "hypervisor/src/vm/trap.c": "/* Traps. */\nint trap_count;\n",
    "Makefile": "# Builds.\nall:\n",
}

LONG_FUNCTION = "/* Long. */\nint long_one(int x)\n{\n" + "    x++;\n" * 70 + "    return x;\n}\n"

BREACHES = {
    # what is broken: (rule, file, text)
    "common includes a product": ("includes", "common/a.c", '/* A. */\n#include "kvm-vmm-x86/src/vm/vm.h"\n'),
    "a product includes another": (
        "includes", "hypervisor/src/vm/b.c", '/* B. */\n#include "kvm-vmm-x86/src/vm/vm.h"\n'),
    "abi includes common": ("includes", "abi/c.h", '/* C. */\n#include "common/sum.h"\n'),
    "an include that is not there": ("includes", "common/d.c", '/* D. */\n#include "nowhere.h"\n'),
    "a device calls the system": ("includes", "kvm-vmm-x86/src/dev/e.c", "/* E. */\n#include <unistd.h>\n"),
    "a device knows KVM": ("includes", "kvm-vmm-x86/src/dev/f.c", "/* F. */\n#include <linux/kvm.h>\n"),
    "freestanding code uses libc": ("includes", "hypervisor/src/vm/g.c", "/* G. */\n#include <stdio.h>\n"),
    "a folder without a layer": ("includes", "elsewhere/h.c", '/* H. */\n#include "abi/port.h"\n'),
    "a device includes the machine": ("layers", "kvm-vmm-x86/src/dev/u.c", '/* U. */\n#include "vm/vm.h"\n'),
    "a file without a row": ("layers", "hypervisor/src/new/v.c", "/* V. */\nint v_one;\n"),
    "a header includes itself": (
        "include_circles", "common/w.h", '/* W. */\n#ifndef W\n#define W\n#include "w.h"\n#endif\n'),
    "a row whose arrow has gone": ("call_circles", "tools/known-arrows", "# Known.\ncommon/sum common/away\n"),
    "a header that needs another": ("headers", "common/i.h", "/* I. */\nuint32_t i_one(void);\n"),
    "a header only for the host": ("headers", "hypervisor/src/vm/j.h", "/* J. */\nsize_t j_one(void);\n"),
    "a function without its prefix": ("prefixes", "common/k.c", "/* K. */\nint other(void)\n{\n    return 1;\n}\n"),
    "a variable without its prefix": ("prefixes", "common/l.c", "/* L. */\nint other;\n"),
    "a long function": ("sizes", "common/long.c", LONG_FUNCTION),
    "a long file": ("sizes", "common/m.c", "/* M. */\n" + "int m_one;\n" * 500),
    "crooked layout": ("layout", "common/n.c", "/* N. */\nint  n_one;\n"),
    "a long line": ("layout", "common/o.c", "/* O. */\n/* " + "o" * 100 + " */\n"),
    "a tab": ("layout", "common/p.S", "/* P. */\n\tnop\n"),
    "a path of one machine": ("words", "README.md", "See /ho" "me/somebody/tree.\n"),
    "something left for later": ("words", "common/q.c", "/* Q. TO" "DO */\n"),
    "a word of the dialect": ("plain", "common/t.c", "/* T: NULL if there i" "s none. */\n"),
    "a word of the dialect that begins a sentence": ("plain", "common/t.c", "/* T: it waits. No""body reads it. */\n"),
    "another": ("plain", "README.md", "What n" "obody knows is done an" "ew, beside the user n" "obody.\n"),
    "a binary": ("words", "common/r.bin", "\0\1\2"),
    "a program of no package": (
        "programs", "tests/x.py", '"""X."""\nimport subprocess\n\nsubprocess.run(["dtc", "-q"])\n'),
    "a package that is not listed": ("programs", "tools/programs", "# Programs.\ndtc device-tree-compiler\n"),
    "a file that does not say what it is": ("openings", "common/s.c", "int s_one;\n"),
    "a comment of another style": ("comments", "common/v.c", '/* V. */\nconst char *v_one = "//"; // two\n'),
    "a script that does not say what it is": ("openings", "tools/t", "#!/bin/sh\nset -e\n"),
}


def check(root, extra, **options):
    for path, text in {**GOOD, "kvm-vmm-x86/src/vm/vm.h": "/* A machine. */\n", **extra}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / ".clang-format").write_text((TOP / ".clang-format").read_text())
    return subprocess.run([TOP / "tools/check-style", root], capture_output=True, text=True, check=False,
                          **options)


def breaches_of(result):
    """The lines that report breaches."""
    return [line for line in result.stdout.splitlines() if not line.startswith("  STYLE ")]


def test_a_good_tree_passes(tmp_path):
    result = check(tmp_path, {})
    assert (result.returncode, result.stderr) == (0, "")
    assert "0 breaches" in result.stdout


def judges_layout():
    found = subprocess.run("clang-format-14 --version || clang-format --version", shell=True, capture_output=True,
                           text=True, check=False)
    return "version 14." in found.stdout


@pytest.mark.parametrize("what", BREACHES)
def test_a_breach_is_seen(tmp_path, what):
    rule, path, text = BREACHES[what]
    if what == "crooked layout" and not judges_layout():
        pytest.skip("clang-format 14 is not here")
    result = check(tmp_path, {path: text})
    breaches = [line.split(": ")[:2] for line in breaches_of(result)]
    assert result.returncode == 1
    assert breaches and all(breach[0].startswith(path + ":") and breach[1] == rule for breach in breaches)


CALLS = {  # two files that call each other; a name in a comment, a string, a member or a table is no call
    "common/one.h": "/* One. */\nint one_call(void);\n",
    "common/one.c": '/* One. */\n#include "one.h"\n\n#include "two.h"\n\nint one_call(void)\n{\n'
                    "    return two_call();\n}\n",
    "common/two.h": "/* Two. */\nint two_call(void);\n",
    "common/two.c": '/* Two: see one_call(). */\n#include "two.h"\n\n#include "one.h"\n\n'
                    "int (*two_table)(void) = one_call;\n\nint two_call(void)\n{\n    return %s;\n}\n",
}


@pytest.mark.parametrize("call, known, breaches", [
    ("0", "", 0), ("one_call()", "", 1), ("one_call()", "common/two common/one\n", 0)])
def test_two_files_that_call_each_other(tmp_path, call, known, breaches):
    files = {**CALLS, "common/two.c": CALLS["common/two.c"] % call}
    if known:
        files["tools/known-arrows"] = "# Known.\n" + known
    result = check(tmp_path, files)
    assert result.returncode == min(breaches, 1)
    assert result.stdout.count(": call_circles: a circle of calls: ") == breaches
    assert len(breaches_of(result)) == breaches, result.stdout


def test_a_known_arrow_passes(tmp_path):
    _, path, text = BREACHES["a device includes the machine"]
    row = "kvm-vmm-x86/src/dev/u kvm-vmm-x86/src/vm/vm\n"
    result = check(tmp_path, {path: text, "tools/known-arrows": "# Known.\n" + row})
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("version, says", [("15.0.7", "clang-format 15 is here"), (None, "it is not installed")])
def test_another_clang_format_does_not_judge(tmp_path, version, says):
    """Another version of clang-format does not check the layout: one line says so, and all other rules are checked."""
    _, path, text = BREACHES["crooked layout"]
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("python3", "git", "gcc", "clang", "ctags"):
        (tools / name).symlink_to(shutil.which(name, path="/usr/bin"))
    if version:
        (tools / "clang-format").write_text("#!/bin/sh\necho 'Debian clang-format version %s'\n" % version)
        (tools / "clang-format").chmod(0o755)
    result = check(tmp_path / "tree", {path: text}, env={**os.environ, "PATH": str(tools)})
    assert result.returncode == 0, result.stdout
    assert "layout not judged" in result.stdout and says in result.stdout
