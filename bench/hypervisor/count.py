"""How many instructions a machine executes until it says something: QEMU tells where it records a run (-icount, rr).

The count is of all modes and harts. What a machine executes between its words and the question is counted too, tens of
millions of instructions on a busy host: a machine should have nothing to do then, as one that sleeps.
"""
import json
import socket
import subprocess
import sys
import tempfile


def ask(stream, command):
    """A command to QEMU over QMP, and its answer."""
    stream.write(json.dumps({"execute": command}) + "\n")
    stream.flush()
    for line in stream:
        answer = json.loads(line)
        if "return" in answer:
            return answer["return"]
    sys.exit(f"QEMU did not answer {command}")


def instructions(line, text, times=1):
    """Until the machine that `line` starts has said `text` so often."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/qmp")
        listener.listen()
        line = [*line, "-icount", f"shift=0,rr=record,rrfile={folder}/record", "-qmp", f"unix:{folder}/qmp"]
        with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
            stream = listener.accept()[0].makefile("rw")
            stream.readline()  # its greeting
            ask(stream, "qmp_capabilities")
            said = b""
            while said.count(text) < times:
                data = child.stdout.read1()
                if not data:
                    sys.exit("it ended too early:\n" + said.decode(errors="replace")[-1000:])
                said += data
            ask(stream, "stop")
            count = ask(stream, "query-replay")["icount"]
            child.kill()
    return count
