# Reboots; the machine's owner counts how often this is said.
echo 'reboot: here'
reboot -f
