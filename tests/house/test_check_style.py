"""tools/check-style on small trees, each broken in one way: every rule must see its breach, and only that one."""
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]

GOOD = {
    "abi/port.h": "/* A port. */\n#define PORT 1\n",
    "common/sum.h": "/* Sums. */\n#include <stdint.h>\n\nuint32_t sum_two(uint32_t a, uint32_t b);\n",
    "common/sum.c": '/* Sums. */\n#include "sum.h"\n\n'
                    "uint32_t sum_two(uint32_t a, uint32_t b)\n{\n    return a + b;\n}\n",
    "kvm-vmm-x86/src/vm.c": '/* A machine. */\n#include "abi/port.h"\n#include "common/sum.h"\n\n'
                            "int vm_port = PORT;\n",
    "kvm-vmm-x86/src/host/files.c": "/* Files. */\n#include <fcntl.h>\n\nint files_mode = O_RDONLY;\n",
    "hypervisor/src/trap.c": "/* Traps. */\nint trap_count;\n",
    "Makefile": "# Builds.\nall:\n",
}

LONG_FUNCTION = "/* Long. */\nint long_one(int x)\n{\n" + "    x++;\n" * 70 + "    return x;\n}\n"

BREACHES = {
    # what is broken: (rule, file, text)
    "common includes a product": ("includes", "common/a.c", '/* A. */\n#include "kvm-vmm-x86/src/vm.h"\n'),
    "a product includes another": ("includes", "hypervisor/src/b.c", '/* B. */\n#include "kvm-vmm-x86/src/vm.h"\n'),
    "abi includes common": ("includes", "abi/c.h", '/* C. */\n#include "common/sum.h"\n'),
    "an include that is not there": ("includes", "common/d.c", '/* D. */\n#include "nowhere.h"\n'),
    "a device calls the system": ("includes", "kvm-vmm-x86/src/dev/e.c", "/* E. */\n#include <unistd.h>\n"),
    "a device knows KVM": ("includes", "kvm-vmm-x86/src/dev/f.c", "/* F. */\n#include <linux/kvm.h>\n"),
    "freestanding code uses libc": ("includes", "hypervisor/src/g.c", "/* G. */\n#include <stdio.h>\n"),
    "a folder without a layer": ("includes", "elsewhere/h.c", '/* H. */\n#include "abi/port.h"\n'),
    "a header that needs another": ("headers", "common/i.h", "/* I. */\nuint32_t i_one(void);\n"),
    "a header only for the host": ("headers", "hypervisor/src/j.h", "/* J. */\nsize_t j_one(void);\n"),
    "a function without its prefix": ("prefixes", "common/k.c", "/* K. */\nint other(void)\n{\n    return 1;\n}\n"),
    "a variable without its prefix": ("prefixes", "common/l.c", "/* L. */\nint other;\n"),
    "a long function": ("sizes", "common/long.c", LONG_FUNCTION),
    "a long file": ("sizes", "common/m.c", "/* M. */\n" + "int m_one;\n" * 500),
    "crooked layout": ("layout", "common/n.c", "/* N. */\nint  n_one;\n"),
    "a long line": ("layout", "common/o.c", "/* O. */\n/* " + "o" * 100 + " */\n"),
    "a tab": ("layout", "common/p.S", "/* P. */\n\tnop\n"),
    "a path of one machine": ("words", "README.md", "See /ho" "me/somebody/tree.\n"),
    "something left for later": ("words", "common/q.c", "/* Q. TO" "DO */\n"),
    "a binary": ("words", "common/r.bin", "\0\1\2"),
    "a file that does not say what it is": ("openings", "common/s.c", "int s_one;\n"),
    "a script that does not say what it is": ("openings", "tools/t", "#!/bin/sh\nset -e\n"),
}


def check(root, extra):
    for path, text in {**GOOD, "kvm-vmm-x86/src/vm.h": "/* A machine. */\n", **extra}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / ".clang-format").write_text((TOP / ".clang-format").read_text())
    return subprocess.run([TOP / "tools/check-style", root], capture_output=True, text=True, check=False)


def test_a_good_tree_passes(tmp_path):
    result = check(tmp_path, {})
    assert (result.returncode, result.stderr) == (0, "")
    assert "0 breaches" in result.stdout


@pytest.mark.parametrize("what", BREACHES)
def test_a_breach_is_seen(tmp_path, what):
    rule, path, text = BREACHES[what]
    result = check(tmp_path, {path: text})
    breaches = [line.split(": ")[:2] for line in result.stdout.splitlines()[:-1]]
    assert result.returncode == 1
    assert breaches and all(breach[0].startswith(path + ":") and breach[1] == rule for breach in breaches)


def test_this_tree_passes():
    result = subprocess.run([TOP / "tools/check-style"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
