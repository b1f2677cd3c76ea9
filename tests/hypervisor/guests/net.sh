# Runs in two guests on one switch. Each sends a megabyte to the other, at the same time, and compares what it received
# with what the other must have sent: all lines differ, so lost, repeated or reordered data are detected.
#
# The order of their starts does not matter: the sender tries until the other listens. There are two connections,
# because nc ends with its peer's last byte even if its own bytes are not all sent. For the same reason a receiver's
# input is an empty pipe that never ends. The test's time limit ends a wait for nothing.
n=$(sed -n 's/.*host=\([0-9]\).*/\1/p' /proc/cmdline)
other=$((3 - n))
numbers() { seq "$1"000000 "$1"124999; }
ip link set eth0 up
ip addr add 10.0.0."$n"/24 dev eth0
mknod /mnt/silence p
nc -l -p 99 <> /mnt/silence > /mnt/theirs &
receiver=$!
until ping -c 1 -W 1 10.0.0.$other > /dev/null 2>&1; do :; done
ping -c 3 10.0.0.$other | sed -n 's/^/net: /p' | grep received
numbers "$n" > /mnt/mine
until nc 10.0.0.$other 99 < /mnt/mine; do sleep 1; done
wait $receiver
numbers $other > /mnt/expected
echo "net: got $(wc -c < /mnt/theirs) bytes, $(cmp /mnt/expected /mnt/theirs && echo right)"
