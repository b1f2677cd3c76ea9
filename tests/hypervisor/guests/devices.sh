# Prints the time of day, random bytes of the machine, and whether the kernel has the interrupt for clones (VMGenID).
echo "devices: $(date +%s) seconds since 1970"
echo "devices: rng $(cat /sys/class/misc/hw_random/rng_current), $(head -c 1000 /dev/hwrng | wc -c) bytes"
echo "devices: $(head -c 1000 /dev/hwrng | od -An -tx1 -v | tr -s ' ' '\n' | sort -u | wc -l) different ones"
echo "devices: $(grep -c vmgenid /proc/interrupts) vmgenid"
# Prints the interrupt controller of each device.
echo "devices: nproc $(grep -c '^processor' /proc/cpuinfo)"
grep -m 1 '^isa' /proc/cpuinfo | sed 's/^/devices: /'
sed 's/^ */devices: /' /proc/interrupts
