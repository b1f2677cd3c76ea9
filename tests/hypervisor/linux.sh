#!/bin/bash
# Makes DIR/Image and DIR/initrd: Debian 13's kernel for riscv64, and a ramdisk of the userland of initramfs/ with the
# kernel's virtio modules and tests/hypervisor/guests/*.sh. Nothing is fetched twice.
#
# Kernel and busybox come from their packages. Where a mirror's lists for riscv64 do not fit their signature, both are
# in the installer's network image too, which is on the lists of every architecture: the same kernel without virtio_blk,
# and a busybox that needs a C library and cannot install itself under its names. Init and tools are ours either way.
set -euo pipefail
dir=$1
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
parts=$dir/parts # what is added to the userland; `list` in it is pack's, with names relative to it
userland=$top/build/initramfs
modules=(virtio_mmio virtio_blk failover net_failover virtio_net)
mkdir -p "$dir"

fetch() { "$top/tools/fetch-deb" "$@"; }
make_userland() { make -s -C "$top/initramfs" ARCH=riscv64 "$@" >&2; }

# Prints the package that the kernel is taken from.
source_of_kernel() {
    if fetch trixie riscv64 busybox-static > /dev/null && fetch -m trixie riscv64 linux-image-riscv64; then
        return
    fi
    echo "linux.sh: no riscv64 packages on this mirror now: kernel and busybox of the installer's network image" >&2
    fetch trixie "$(dpkg --print-architecture)" debian-installer-13-netboot-riscv64 ||
        { echo 'linux.sh: no kernel for riscv64 to be had' >&2; return 1; }
}

from_installer() { [[ ${1##*/} == debian-installer* ]]; }

# Adds a file to what is packed: its place in the ramdisk, its mode, the file.
add() {
    local part=${1//\//_}
    cp -L "$3" "$parts/$part"
    echo "file $1 $2 $part" >> "$parts/list"
}

# The folder of an unpacked package in which modules are found; the kernel's image is in $dir/Image.raw then.
unpack_package() {
    cp "$(find "$1/boot" -name 'vmlinux-*' -o -name 'vmlinuz-*' | head -n 1)" "$dir/Image.raw"
    echo "$1"
}

unpack_installer() {
    mkdir "$1/initrd"
    cp "$(find "$1" -name linux -type f)" "$dir/Image.raw"
    gzip -dc < "$(find "$1" -name initrd.gz)" | (cd "$1/initrd" && cpio --quiet -idm)
    echo "$1/initrd"
}

# Not as /bin/busybox, which init would ask to install itself.
add_busybox_of_installer() {
    local from=$1 name
    add /lib/busybox 755 "$from/usr/bin/busybox"
    add /lib/libc.so.6 755 "$from/usr/lib/riscv64-linux-gnu/libc.so.6"
    add /lib/ld-linux-riscv64-lp64d.so.1 755 "$from/usr/lib/ld-linux-riscv64-lp64d.so.1"
    find "$from"/usr/bin "$from"/usr/sbin -lname '*busybox' -printf '%f\n' | LC_ALL=C sort |
        while read -r name; do echo "link /bin/$name ../lib/busybox"; done >> "$parts/list"
}

add_modules() {
    local name file
    : > "$parts/order"
    for name in "${modules[@]}"; do
        file=$(find "$1" -name "$name.ko*" | head -n 1)
        [ -n "$file" ] || continue
        case $file in *.xz) xz -dc "$file" ;; *) cat "$file" ;; esac > "$parts/$name.ko"
        echo "$name.ko" >> "$parts/order"
        echo "file /modules/$name.ko 644 $name.ko" >> "$parts/list"
    done
    echo "file /modules/order 644 order" >> "$parts/list"
}

# The kernel and all that comes with it, out of the package.
take_apart() {
    local from package=$dir/package
    rm -rf "$package" "$parts"
    mkdir -p "$package" "$parts"
    dpkg-deb -x "$1" "$package"
    printf 'dir %s 755\n' /lib /mnt > "$parts/list"
    if from_installer "$1"; then
        from=$(unpack_installer "$package")
        add_busybox_of_installer "$from"
    else
        from=$(unpack_package "$package")
    fi
    add_modules "$from"
    if [ "$(head -c 2 "$dir/Image.raw" | od -An -tx1 | tr -d ' ')" = 1f8b ]; then
        gzip -dc < "$dir/Image.raw" > "$dir/Image"
    else
        cp "$dir/Image.raw" "$dir/Image"
    fi
    rm -rf "$package" "$dir/Image.raw"
}

# The userland first: Linux unpacks one archive after the other.
pack() {
    local base=initramfs.cpio test
    if from_installer "$1"; then
        base=core.cpio
        make_userland core tools
    else
        make_userland all
    fi
    mkdir -p "$parts/tests"
    cp "$here"/guests/*.sh "$parts/tests/"
    cp "$userland/riscv64/facts.elf" "$parts/facts"
    cat "$userland/riscv64/$base"
    {
        cat "$parts/list"
        echo "file /bin/facts 755 facts"
        for test in "$here"/guests/*.sh; do
            test=$(basename "$test" .sh)
            echo "file /tests/$test 644 tests/$test.sh"
        done
    } | (cd "$parts" && "$userland/pack")
}

made=$(cat "$dir/made-from" 2>/dev/null || true)
if [ ! -f "$made" ] || [ ! -f "$parts/list" ]; then
    made=$(source_of_kernel)
    take_apart "$made"
    echo "$made" > "$dir/made-from"
fi
pack "$made" > "$dir/initrd.new"
mv "$dir/initrd.new" "$dir/initrd"
