"""A disk for QEMU whose power can fail: a server of the NBD protocol (old-style negotiation) that keeps what is written
in a cache until a flush, as a disk does. When the power fails, any sectors of the cache may have reached the medium.

https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
"""
import random
import socket
import struct
import threading
import time

SECTOR = 512
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
HAS_FLAGS, SEND_FLUSH = 1, 4
REQUEST = struct.Struct(">IHHQQI")   # magic, flags, type, handle, offset, length
EIO = 5


class PowerDisk:
    """Serves the bytes of an image at a socket, in a thread. `on_write` is called with the number of each write, from 1
    on, before the write is stored; `fail` with the kind and number of each request, and returns true if it must fail.
    `note` is called with the kind, offset and bytes of each successful write and flush, before the answer."""

    def __init__(self, image, path, on_write=lambda number: None, fail=lambda kind, number: False,
                 note=lambda kind, offset, data: None):
        self.medium = bytearray(image.read_bytes())   # contents that survive a power failure
        self.seen = bytearray(self.medium)            # contents that the machine reads
        self.cache = []                               # writes since the last flush: offset, bytes
        self.counts = {READ: 0, WRITE: 0, FLUSH: 0}
        self.on_write, self.fail, self.note = on_write, fail, note
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.url = "nbd+unix:///?socket=%s" % path
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as stream:
            connection.sendall(b"NBDMAGIC" + struct.pack(">QQI", 0x00420281861253, len(self.medium),
                                                         HAS_FLAGS | SEND_FLUSH) + bytes(124))
            try:
                while self.answer(connection, stream):
                    pass
            except (ConnectionError, struct.error):   # the machine was killed
                pass

    def answer(self, connection, stream):
        _, _, kind, handle, offset, length = REQUEST.unpack(stream.read(REQUEST.size))
        if kind == DISCONNECT:
            return False
        data = stream.read(length) if kind == WRITE else b""
        self.counts[kind] += 1
        if kind == WRITE:
            self.on_write(self.counts[WRITE])
        bad = self.fail(kind, self.counts[kind])
        if kind == WRITE and not bad:
            self.seen[offset:offset + length] = data
            self.cache.append((offset, data))
        elif kind == FLUSH and not bad:
            for at, piece in self.cache:
                self.medium[at:at + len(piece)] = piece
            self.cache.clear()
        elif kind == READ and not bad:
            data = bytes(self.seen[offset:offset + length])
        if kind in (WRITE, FLUSH) and not bad:
            self.note(kind, offset, data)
        connection.sendall(struct.pack(">IIQ", 0x67446698, EIO if bad else 0, handle) + (data if kind == READ else b""))
        return True

    def power_fails(self, image):
        """Writes the disk after a power failure: the medium, and some sectors of the cache."""
        self.listener.close()
        self.thread.join(timeout=20)
        likely = random.random()
        for at, data in self.cache:
            for i in range(0, len(data), SECTOR):
                if random.random() < likely:
                    self.medium[at + i:at + i + SECTOR] = data[i:i + SECTOR]
        image.write_bytes(self.medium)


def stalls(seconds, kind, numbers):
    """For `fail`: these requests take that long, then succeed."""
    def fail(this, number):
        if this == kind and number in numbers:
            time.sleep(seconds)
        return False
    return fail
