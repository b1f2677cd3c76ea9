"""The lab's client with a machine that accepts no connection: a socket takes the place of its line."""
import socket
import subprocess

from tests.support import TOP


def test_a_line_whose_queue_is_full(tmp_path):
    """Killed clients fill the queue: the machine counts as silent, which is reported after 10 s of the 12 s for which
    the client waits."""
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(tmp_path / "line0"))
        line.listen(1)
        before = []
        while True:
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            try:
                client.connect(str(tmp_path / "line0"))
            except BlockingIOError:
                client.close()
                break
            before.append(client)
        script = tmp_path / "script"
        script.write_text("#!/bin/sh\necho $1 >> %s/verbs\ntest $1 = down\n" % tmp_path)
        script.chmod(0o755)
        done = subprocess.run([TOP / "build/lab/client", tmp_path, "1", "12", script, "true"], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300, check=False)
        for client in before:
            client.close()
    assert done.returncode == 125 and b"does not answer; it is restarted after 12 s" in done.stderr, done
    assert b"does not answer, restarting it" in done.stderr, done
    assert (tmp_path / "verbs").read_text().split() == ["down", "up"]
