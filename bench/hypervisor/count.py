"""How many instructions a machine executes until it says something: QEMU tells where it records a run (-icount, rr).

The count is of all modes and harts. It also includes the instructions between the text and the query, tens of millions
on a busy host. So the machine should be idle then, for example in a sleep.
"""
import json
import socket
import subprocess
import sys
import tempfile


def ask(stream, command):
    """Sends a command to QEMU over QMP, and returns the answer."""
    stream.write(json.dumps({"execute": command}) + "\n")
    stream.flush()
    for line in stream:
        answer = json.loads(line)
        if "return" in answer:
            return answer["return"]
    sys.exit(f"QEMU did not answer {command}")


def instructions(line, text, times=1):
    """Instructions until the machine that `line` starts has printed `text` that many times."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/qmp")
        listener.listen()
        line = [*line, "-icount", f"shift=0,rr=record,rrfile={folder}/record", "-qmp", f"unix:{folder}/qmp"]
        with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
            stream = listener.accept()[0].makefile("rw")
            stream.readline()  # QMP's greeting
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
