# Prints a counter with the guest's own clock, as a neighbour in tests of other guests.
i=0
while [ $i -lt 12 ]; do
    i=$((i + 1))
    echo "counter: $i at $(cut -d' ' -f1 /proc/uptime)"
    sleep 1
done
