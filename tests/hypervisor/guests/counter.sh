# Counts with the guest's own clock beside it, for neighbours that are watched.
i=0
while [ $i -lt 12 ]; do
    i=$((i + 1))
    echo "counter: $i at $(cut -d' ' -f1 /proc/uptime)"
    sleep 1
done
