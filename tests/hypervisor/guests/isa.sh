# What the guest's kernel found its harts to be able to do, after it has used it.
echo "isa: nproc $(grep -c '^processor' /proc/cpuinfo)"
grep -m 1 '^isa' /proc/cpuinfo | sed 's/^/isa: /'
