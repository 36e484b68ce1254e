#!/bin/sh
# images.sh riscv64|aarch64|x86_64 DIR: makes DIR/Image and DIR/initrd.gz out of Debian packages.
#
# Image is the kernel exactly as Debian ships it: a Linux Image on riscv64 and aarch64, a bzImage on
# x86_64. initrd.gz is busybox, the virtio modules that Debian does not build into its kernels (each
# after those it depends on) and a few lines of script. The archive is reproducible: sorted, owned
# by root, dated 1970. The guest prints "FVP guest ready" and its uname, then offers a shell on its
# console; fvp.run=WORD on the kernel's command line runs WORD first ("fvp.run=poweroff").
set -eu

arch=$1 out=$2
here=$(dirname "$0")
modules="virtio_mmio virtio_pci virtio_blk virtio_console virtio_rng"

case $arch in
riscv64) suite=trixie deb=riscv64 meta=linux-image-riscv64 ;;
aarch64) suite=bookworm deb=arm64 meta=linux-image-cloud-arm64 ;;
x86_64) suite=bookworm deb=amd64 meta=linux-image-cloud-amd64 ;;
*) echo "images: no guest images for $arch (riscv64, aarch64, x86_64)" >&2; exit 64 ;;
esac

kernel=$("$here/packages.sh" depends $suite $deb $meta)
kernel_dir=$("$here/packages.sh" fetch $suite $deb bin "$kernel")
busybox_dir=$("$here/packages.sh" fetch $suite $deb bin busybox-static)

root=$out/root
rm -rf "$root"
for dir in bin dev etc modules proc root sys tmp; do mkdir -p "$root/$dir"; done

# module_add NAME: copy a module into the archive after everything it depends on. Debian's package
# has no modules.dep (depmod runs when it is installed), but each module names its dependencies.
module_add()
{
	pattern=$(echo "$1" | tr _- '??')
	file=$(find "$kernel_dir" -name "$pattern.ko" -o -name "$pattern.ko.xz" | head -n 1)
	[ -n "$file" ] || return 0			# built in
	ko=$root/modules/$1.ko
	[ ! -e "$ko" ] || return 0
	case $file in *.xz) xz -dc "$file" > "$ko" ;; *) cp "$file" "$ko" ;; esac
	for need in $(tr '\0' '\n' < "$ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
		(module_add "$need")
	done
	echo "$1" >> "$root/modules/order"
}

: > "$root/modules/order"
for module in $modules; do module_add "$module"; done

for busybox in "$busybox_dir/bin/busybox" "$busybox_dir/usr/bin/busybox"; do
	[ ! -f "$busybox" ] || cp "$busybox" "$root/bin/busybox"
done
ln -s bin/busybox "$root/init"				# busybox is init by the name it is called
ln -s busybox "$root/bin/sh"

cat > "$root/etc/inittab" <<'E'
::sysinit:/etc/rc
::respawn:/bin/busybox cttyhack /bin/sh -l
E
cat > "$root/etc/profile" <<'E'
export PATH=/bin HOME=/root PS1='\w # '
E
cat > "$root/etc/rc" <<'E'
#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
while read -r module; do insmod "/modules/$module.ko"; done < /modules/order
exec > /dev/console 2>&1		# a virtio console exists only now
echo "FVP guest ready"
uname -a
for word in $(cat /proc/cmdline); do
	case $word in fvp.run=*) ${word#fvp.run=} ;; esac
done
E
chmod 755 "$root/etc/rc" "$root/bin/busybox"

find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) |
	gzip -9n > "$out/initrd.gz.part"
cp -L "$kernel_dir"/boot/vmlinu?-* "$out/Image.part"
chmod 644 "$out/Image.part"
mv "$out/initrd.gz.part" "$out/initrd.gz"
mv "$out/Image.part" "$out/Image"
