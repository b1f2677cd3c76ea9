# Counts its boots on the disk, and reboots until it has booted three times.
n=$(head -c 1 /dev/vda | tr -dc 0-9)
n=$((n + 1))
echo "reboot: boot $n"
printf '%s' "$n" | dd of=/dev/vda bs=512 conv=sync,notrunc 2>/dev/null
sync
[ "$n" -ge 3 ] || reboot -f
