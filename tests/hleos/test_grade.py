"""The book's exercises: each is graded on the unchanged tree, and on the answer in labs.toml."""
import re
import shutil
import subprocess
import tomllib

import pytest

from tests.hleos.machines import HLEOS, TOP

LABS = tomllib.loads((HLEOS / "labs.toml").read_text(encoding="utf-8"))
QUICK = ["1", "5"]   # in every check; the others with FULL=1
SLOW = pytest.mark.full("a minute or two of builds and boots")
CASES = [pytest.param(n, marks=() if n in QUICK else SLOW) for n in LABS]


def changed(lab):
    """The files of a lab's answer: name -> text."""
    files = {}
    for name, old, new in lab["edits"]:
        text = files.get(name) or (HLEOS / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, "%s: what the answer changes is there %d times: %s" % (name, text.count(old), old)
        files[name] = text.replace(old, new)
    return files


@pytest.fixture(scope="module")
def tree(built, tmp_path_factory):
    """A copy of the tree with its objects, which are not rebuilt: their dependency files refer to the copy."""
    top = tmp_path_factory.mktemp("tree")
    for name in ("HLeOs", "abi", "common", "mk", "build/hleos"):
        shutil.copytree(TOP / name, top / name, symlinks=True)
    for file in (top / "build").rglob("*.d"):
        stat = file.stat()
        file.write_text(file.read_text(encoding="utf-8").replace("%s/" % TOP, "%s/" % top), encoding="utf-8")
        shutil.os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return top / "HLeOs/HLeOs"


def grade(tree, number, *more):
    done = subprocess.run(["make", "-s", "grade", "LAB=" + number, *more], cwd=tree, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("number", CASES)
def test_a_lab_is_judged(number, tree):
    lab = LABS[number]
    status, text = grade(tree, number)
    assert status != 0 and text.startswith("lab %s: failed: %s. See docs/" % (number, lab["before"][1])), text
    before = {name: (tree / name).read_text(encoding="utf-8") for name in changed(lab)}
    try:
        for name, answer in changed(lab).items():
            (tree / name).write_text(answer, encoding="utf-8")
        status, text = grade(tree, number)
        assert status == 0 and text.startswith("lab %s: passed: " % number), text
        words = text.split("passed: ")[1].strip()[-20:]
        if number == QUICK[0]:
            assert grade(tree, number, "PREDICT=" + words)[0] == 0
            status, text = grade(tree, number, "PREDICT=all is well")
            assert status != 0 and 'the change is made, but you predicted "all is well". What came: ' in text, text
    finally:
        for name, text in before.items():
            (tree / name).write_text(text, encoding="utf-8")


def test_another_change_is_not_the_answer(tree):
    file = tree / "boot/boot.S"
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(text.replace("jne     fail\n", "jmp     fail\n", 1), encoding="utf-8")
        status, said = grade(tree, "1")
        assert status != 0 and "exercise 1 does something else. What came: HLeOs E02" in said, said
        file.write_text(text.replace("loaded:\n", "loaded: no such instruction\n", 1), encoding="utf-8")
        status, said = grade(tree, "1")
        assert status != 0 and "lab 1: failed: the tree does not build:\n" in said and "boot.S" in said, said
    finally:
        file.write_text(text, encoding="utf-8")
    status, said = grade(tree, "99")
    assert status != 0 and said == ""


def test_answers_fit_the_sources_and_questions():
    """Each answer's old text occurs once in the sources. Each chapter has labs, at the exercises that labs.toml
    lists."""
    for number, lab in LABS.items():
        assert changed(lab), number
    table = (TOP / "docs/hleos/README.md").read_text(encoding="utf-8")
    for chapter in ["hleos.md", *("hleos/" + name for name in re.findall(r"^\| \[([a-z]+\.md)\]", table, re.M))]:
        text = (TOP / "docs" / chapter).read_text(encoding="utf-8").partition("\n## Exercises\n")[2]
        named = {number: int(exercise) for exercise, number in re.findall(r"^(\d+)\. \(lab (\d+)\)", text, re.M)}
        assert named and named == {n: lab["exercise"] for n, lab in LABS.items() if lab["chapter"] == chapter}, chapter
