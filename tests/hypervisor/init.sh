#!/bin/busybox sh
# The first process of a Linux guest: file systems, drivers, then what the kernel's command line asks
# for: test=NAME runs /tests/NAME and powers off; else a shell.
[ -e /bin/sed ] || /bin/busybox --install -s /bin
export PATH=/bin HOME=/ PS1='guest# '
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo 1 > /proc/sys/kernel/printk
for module in $(cat /modules/order); do
    insmod /modules/"$module" || echo "init: $module does not load"
done
name=$(sed -n 's/.*test=\([^ ]*\).*/\1/p' /proc/cmdline)
if [ -n "$name" ]; then
    # shellcheck disable=SC1090
    . "/tests/$name"
    poweroff -f
    sleep 60
fi
echo "init: $(uname -r), $(nproc) CPUs"
terminal=
! command -v cttyhack > /dev/null || terminal='setsid cttyhack'
while true; do
    $terminal sh
    echo 'init: the shell has ended; poweroff -f or reboot -f to leave'
done
