# What the guest itself sees of its harts.
echo "cpus: nproc $(nproc)"
echo "cpus: online $(cat /sys/devices/system/cpu/online)"
grep -i 'timer' /proc/interrupts | head -n 1
