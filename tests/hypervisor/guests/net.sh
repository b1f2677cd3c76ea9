# Two guests on one switch: number 1 waits to be reached, number 2 asks. Both check a megabyte.
n=$(sed -n 's/.*host=\([0-9]\).*/\1/p' /proc/cmdline)
other=$((3 - n))
numbers() { awk -v n="$1" 'BEGIN { for (i = 0; i < 125000; i++) printf "guest %d\n", n }'; }
ip link set eth0 up
ip addr add 10.0.0."$n"/24 dev eth0
i=0
until ping -c 1 -W 1 10.0.0.$other > /dev/null 2>&1 || [ $i -gt 40 ]; do i=$((i + 1)); done
ping -c 3 10.0.0.$other | sed -n 's/^/net: /p' | grep received
numbers $n > /mnt/mine
if [ "$n" = 1 ]; then
    nc -l -p 99 < /mnt/mine > /mnt/theirs
else
    i=0
    until [ -s /mnt/theirs ] || [ $i -gt 20 ]; do
        nc 10.0.0.1 99 < /mnt/mine > /mnt/theirs; i=$((i + 1)); done
fi
echo "net: got $(wc -c < /mnt/theirs) bytes, $(numbers $other | cmp - /mnt/theirs && echo right)"
