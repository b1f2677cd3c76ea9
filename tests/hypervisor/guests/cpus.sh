# Prints the harts that the guest sees, and those on which its threads ran. The installer's busybox has no nproc.
echo "cpus: nproc $(grep -c '^processor' /proc/cpuinfo)"
echo "cpus: online $(cat /sys/devices/system/cpu/online)"
facts | sed -n 's/^ran=/cpus: ran /p'
grep -m 1 '^isa' /proc/cpuinfo | sed 's/^/cpus: /'
grep -i 'timer' /proc/interrupts | head -n 1
