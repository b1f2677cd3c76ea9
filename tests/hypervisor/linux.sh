#!/bin/bash
# Makes DIR/Image and DIR/initrd: Debian 13's kernel for riscv64 and a small userland of busybox, the kernel's virtio
# modules and tests/hypervisor/guests/*.sh. Nothing is fetched twice.
#
# The kernel comes from its package. Where a mirror's lists for riscv64 do not fit their signature, the same kernel with
# a busybox is in the installer's network image, which is on the lists of every architecture. That has no virtio_blk.
set -euo pipefail
dir=$1
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
root=$dir/root
modules=(virtio_mmio virtio_blk failover net_failover virtio_net)
mkdir -p "$dir"

fetch() { "$top/tools/fetch-deb" "$@"; }

sources() {
    local kernel busybox
    if kernel=$(fetch -m trixie riscv64 linux-image-riscv64) && busybox=$(fetch trixie riscv64 busybox-static); then
        echo "$kernel $busybox"
    else
        echo "linux.sh: no riscv64 packages on this mirror now: the kernel of the installer's network image instead" >&2
        fetch trixie "$(dpkg --print-architecture)" debian-installer-13-netboot-riscv64
    fi
}

# Each unpacks into $dir/deb, leaves the kernel in $dir/Image.raw and says where its modules are.
unpack_packages() {
    cp "$(find "$dir/deb/boot" -name 'vmlinux-*' -o -name 'vmlinuz-*' | head -n 1)" "$dir/Image.raw"
    install -m 755 "$(find "$dir/deb" -path '*/bin/busybox' -type f | head -n 1)" "$root/bin/busybox"
    echo "$dir/deb"
}

unpack_installer() {
    local from=$dir/deb/initrd
    mkdir -p "$from" "$root/lib"
    cp "$(find "$dir/deb" -name linux -type f)" "$dir/Image.raw"
    gzip -dc < "$(find "$dir/deb" -name initrd.gz)" | (cd "$from" && cpio --quiet -idm)
    cp -L "$from"/usr/bin/{busybox,kmod} "$root/bin/"
    cp -L "$from"/usr/lib/riscv64-linux-gnu/{libc.so.6,liblzma.so.5} "$root/lib/"
    cp -L "$from"/usr/lib/ld-linux-riscv64-lp64d.so.1 "$root/lib/"
    find "$from"/usr/bin "$from"/usr/sbin -lname '*busybox' -printf '%f\n' |
        while read -r name; do ln -sf busybox "$root/bin/$name"; done
    ln -sf kmod "$root/bin/insmod"
    # shellcheck disable=SC2016
    printf '%s\n' '#!/bin/sh' 'grep -c ^processor /proc/cpuinfo' > "$root/bin/nproc"
    chmod 755 "$root/bin/nproc"
    echo "$from"
}

install_modules() {
    local name file
    : > "$root/modules/order"
    for name in "${modules[@]}"; do
        file=$(find "$1" -name "$name.ko*" | head -n 1)
        [ -n "$file" ] || continue
        case $file in *.xz) xz -dc "$file" ;; *) cat "$file" ;; esac > "$root/modules/$name.ko"
        echo "$name.ko" >> "$root/modules/order"
    done
}

make_root() {
    local deb from
    rm -rf "$dir/deb" "$root"
    mkdir -p "$dir/deb" "$root"/{bin,dev,proc,sys,tests,mnt,modules}
    for deb in "$@"; do dpkg-deb -x "$deb" "$dir/deb"; done
    if [ $# = 1 ]; then from=$(unpack_installer); else from=$(unpack_packages); fi
    install_modules "$from"
    if [ "$(head -c 2 "$dir/Image.raw" | od -An -tx1 | tr -d ' ')" = 1f8b ]; then
        gzip -dc < "$dir/Image.raw" > "$dir/Image"
    else
        cp "$dir/Image.raw" "$dir/Image"
    fi
    rm -rf "$dir/deb" "$dir/Image.raw"
}

made=$(cat "$dir/made-from" 2>/dev/null || true)
# shellcheck disable=SC2086
if [ -z "$made" ] || ! ls $made > /dev/null 2>&1; then
    made=$(sources)
    made=${made//$'\n'/ }
    make_root $made
    echo "$made" > "$dir/made-from"
fi
install -m 755 "$here/init.sh" "$root/init"
rm -f "$root"/tests/*
for test in "$here"/guests/*.sh; do
    cp "$test" "$root/tests/$(basename "$test" .sh)"
done
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) > "$dir/initrd"
