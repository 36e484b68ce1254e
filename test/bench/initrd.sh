#!/bin/sh
# initrd.sh PROGRAM FILE: makes the benchmark's initramfs for a riscv64 guest: busybox, the static
# PROGRAM as /bin/bench, and init.sh. Reproducible like those of guests/images.sh.
set -eu

program=$1 out=$2
here=$(dirname "$0")
busybox_dir=$("$here/../../guests/packages.sh" fetch trixie riscv64 bin busybox-static)

root=$out.root
rm -rf "$root"
for dir in bin dev proc tmp; do mkdir -p "$root/$dir"; done
for busybox in "$busybox_dir/bin/busybox" "$busybox_dir/usr/bin/busybox"; do
	[ ! -f "$busybox" ] || cp "$busybox" "$root/bin/busybox"
done
ln -s busybox "$root/bin/sh"
cp "$program" "$root/bin/bench"
cp "$here/init.sh" "$root/init"
chmod 755 "$root/init" "$root/bin/busybox" "$root/bin/bench"

find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) |
	gzip -9n > "$out.part"
mv "$out.part" "$out"
