# Runs in a guest of folder.py: mounts the shared folder at /m and the host's root at /r, and does the task on the
# command line.
mount_folder() {
    mkdir -p "$2"
    mount -t virtiofs "$1" "$2" 2>/dev/null && return
    mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=loose "$1" "$2" || exit 1
}

mount_folder folder /m
cd /m
case $work in
find) timed sh -c 'find tree -type f -size +0 | wc -l' ;;
tar) timed sh -c 'tar cf - tree | wc -c' ;;
read) timed dd if=big of=/dev/null bs=1M ;;
compile)
    mount_folder root /r
    mount -t tmpfs tmpfs /r/mnt
    mkdir /r/mnt/m
    mount --bind /m /r/mnt/m
    mount --bind /dev /r/dev
    timed chroot /r /usr/bin/env -i PATH=/usr/bin:/bin TMPDIR=/mnt sh -ec 'cd /mnt/m/tree
        for file in $(ls common/*.c | head -n 10); do
            cc -O1 -std=gnu17 -Iabi -Icommon -I. -c "$file" -o "$file.o"
        done' ;;
esac
