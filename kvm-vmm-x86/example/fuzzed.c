/*
 * A Linux program with a bug, for `kvm-vmm fuzz` (docs/fuzzing.md): it reads the word "LIST" and
 * then a list of names, each after a byte with its length. The length of a name that begins with an
 * x is not checked.
 */
#include <kvmvmm_fuzz.h>

struct entry {
    char name[24];
    char *end; /* end of the name */
};

static unsigned char input[1024];

static __attribute__((noinline)) int read_list(const unsigned char *bytes, size_t size)
{
    struct entry entry;
    int count = 0;

    if (size < 4 || bytes[0] != 'L' || bytes[1] != 'I' || bytes[2] != 'S' || bytes[3] != 'T')
        return -1;
    for (size_t at = 4; at < size; count++) {
        size_t length = bytes[at++];

        if (length > size - at)
            return -1;
        if (length >= sizeof entry.name && bytes[at] != 'x')
            return -1;
        entry.end = entry.name + length;
        memcpy(entry.name, bytes + at, length);
        *entry.end = '\0';
        at += length;
    }
    return count;
}

int main(void)
{
    fuzz_begin();
    (void)read_list(input, fuzz_input(input, sizeof input));
    fuzz_done();
    return 0;
}
