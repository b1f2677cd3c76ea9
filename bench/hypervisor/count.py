"""How many instructions a machine executes until it says something: QEMU tells where it records a run (-icount, rr).

The count is of all modes and harts, and does not depend on what else the host does.
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
    """Until the machine that `line` starts has printed `times` lines with `text`."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/qmp")
        listener.listen()
        line = [*line, "-icount", f"shift=0,rr=record,rrfile={folder}/record", "-qmp", f"unix:{folder}/qmp"]
        with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
            stream = listener.accept()[0].makefile("rw")
            stream.readline()  # its greeting
            ask(stream, "qmp_capabilities")
            for output in child.stdout:
                times -= text in output
                if times == 0:
                    break
            ask(stream, "stop")
            count = ask(stream, "query-replay")["icount"]
            child.kill()
    return count
