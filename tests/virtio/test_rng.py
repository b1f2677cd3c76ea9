"""virtio-rng under Debian's kernel: the guest reads the host's random bytes, and they are not the same twice."""
import re


def test_random(linux, drivers):
    script = "cat /sys/class/misc/hw_random/rng_current; for i in 1 2; do head -c 64 /dev/hwrng | sha256sum; done"
    result = linux.boot("cloud", *drivers, "--rng", run=script)
    text = result.out.decode("utf-8", "replace")
    sums = re.findall(r"^([0-9a-f]{64}) ", text, re.M)
    assert result.status == 0 and "virtio_rng.0" in text, result
    assert len(set(sums)) == 2, result
