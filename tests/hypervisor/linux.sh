#!/bin/bash
# Makes DIR/Image and DIR/initrd: Debian 13's kernel for riscv64 and a small userland of busybox, the
# kernel's virtio modules and tests/hypervisor/guests/*.sh. Nothing is fetched twice.
set -euo pipefail
dir=$1
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mkdir -p "$dir"
kernel=$("$top/tools/fetch-deb" -m trixie riscv64 linux-image-riscv64)
busybox=$("$top/tools/fetch-deb" trixie riscv64 busybox-static)

if [ "$(cat "$dir/made-from" 2>/dev/null)" != "$kernel $busybox" ]; then
    rm -rf "$dir/deb" "$dir/root"
    mkdir -p "$dir/deb" "$dir/root/modules"
    dpkg-deb -x "$kernel" "$dir/deb"
    dpkg-deb -x "$busybox" "$dir/deb"
    modules=$(find "$dir/deb" -type d -path '*/lib/modules/*' -name kernel | head -n 1)
    : > "$dir/root/modules/order"
    for name in virtio_mmio virtio_blk failover net_failover virtio_net; do
        file=$(find "$modules" -name "$name.ko*" | head -n 1)
        [ -n "$file" ] || continue
        case $file in *.xz) xz -dc "$file" ;; *) cat "$file" ;; esac > "$dir/root/modules/$name.ko"
        echo "$name.ko" >> "$dir/root/modules/order"
    done
    mkdir -p "$dir"/root/{bin,dev,proc,sys,tests,mnt}
    install -m 755 "$(find "$dir/deb" -path "*/bin/busybox" -type f | head -n 1)" "$dir/root/bin/busybox"
    cp "$(find "$dir/deb/boot" -name 'vmlinux-*' -o -name 'vmlinuz-*' | head -n 1)" "$dir/Image.raw"
    if [ "$(head -c 2 "$dir/Image.raw" | od -An -tx1 | tr -d ' ')" = 1f8b ]; then
        gzip -dc < "$dir/Image.raw" > "$dir/Image"
    else
        cp "$dir/Image.raw" "$dir/Image"
    fi
    rm -rf "$dir/deb" "$dir/Image.raw"
    echo "$kernel $busybox" > "$dir/made-from"
fi
install -m 755 "$here/init.sh" "$dir/root/init"
rm -f "$dir"/root/tests/*
for test in "$here"/guests/*.sh; do
    [ -e "$test" ] && cp "$test" "$dir/root/tests/$(basename "$test" .sh)"
done
(cd "$dir/root" && find . | cpio --quiet -o -H newc -R 0:0) > "$dir/initrd"
