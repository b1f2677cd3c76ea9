# Reads a typed line from the virtio console, and answers there.
i=0
until [ -c /dev/hvc0 ] || [ $i -gt 20 ]; do i=$((i + 1)); sleep 1; done
echo "hvc: ready"
read -r line < /dev/hvc0
echo "hvc: read '$line'"
echo "hvc: said through virtio" > /dev/hvc0
