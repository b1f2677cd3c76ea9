"""The boot loader's failures: each has its line and its code."""
from tests.hleos.machines import BUILD, GOOD

SECTOR = 512


def kernel_at():
    return SECTOR + (len((BUILD / "stage2.bin").read_bytes()) + SECTOR - 1) // SECTOR * SECTOR


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def test_says_what_it_read(image, qemu):
    sectors = (len((BUILD / "hleos-stripped.elf").read_bytes()) + SECTOR - 1) // SECTOR
    status, text = qemu(image("test=memory"))
    assert "disk: EDD" in text and "kernel: %d of %d sectors, crc ok" % (sectors, sectors) in text
    assert status == GOOD


def test_floppy_has_no_edd(image, qemu):
    disk = image("test=memory", size=1474560)
    status, text = qemu(disk, extra=("-fda", disk))
    assert "disk: CHS" in text and "crc ok" in text
    assert status == GOOD


def test_disk_of_one_sector(image, halted):
    disk = image()
    disk.write_bytes(disk.read_bytes()[:SECTOR])
    assert "HLeOs E01 the disk cannot be read" in halted(disk, "E01")


def test_flipped_bit_in_the_second_stage(image, halted):
    disk = image()
    flip(disk, 2 * SECTOR + 100)
    assert "HLeOs E02 the second stage is damaged" in halted(disk, "E02")


def test_truncated_image(image, halted):
    disk = image()
    disk.write_bytes(disk.read_bytes()[:kernel_at() + 40 * SECTOR])
    text = halted(disk, "E21")
    assert "kernel: 40 of " in text
    assert "HLeOs E21 the disk cannot be read: sector %d" % (kernel_at() // SECTOR + 40) in text


def test_flipped_bit_in_the_kernel(image, halted):
    disk = image()
    flip(disk, kernel_at() + 20000)
    assert "HLeOs E22 the kernel on the disk is damaged" in halted(disk, "E22")


def test_too_little_memory(image, halted):
    assert "HLeOs E12 too little memory: " in halted(image(), "E12", memory="1M")


def test_no_long_mode(image, halted):
    assert "HLeOs E14 no long mode" in halted(image(), "E14", program="qemu-system-i386")
