#!/bin/sh
# Make an EFI system partition as a FAT image: the FVP image where firmware looks for it,
# fvp.toml, and files for guests. No partition table: firmware takes the bare file system.
#
# usage: boot/esp.sh OUT.img FVP.efi FVP.toml [PATH-ON-ESP=FILE]...
set -eu
[ $# -ge 3 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 64; }
img=$1 efi=$2 toml=$3
shift 3

case $efi in
*x86_64*) name=BOOTX64.EFI ;;
*aarch64*) name=BOOTAA64.EFI ;;
*) echo "esp.sh: $efi: the name says neither x86_64 nor aarch64" >&2; exit 64 ;;
esac

total=0
for f in "$efi" "$toml" $(for a; do echo "${a#*=}"; done); do
	[ -r "$f" ] || { echo "esp.sh: $f: cannot be read" >&2; exit 66; }
	total=$((total + $(stat -L -c %s "$f")))
done
mib=$((total / 1048576 + 40))		# FAT32 wants 33 MiB at least; the rest is slack

rm -f "$img"
truncate -s "${mib}M" "$img"
mformat -i "$img" -F -T $((mib * 2048)) -h 64 -s 32 ::
mmd -i "$img" ::/EFI ::/EFI/BOOT
mcopy -i "$img" "$efi" "::/EFI/BOOT/$name"
mcopy -i "$img" "$toml" ::/fvp.toml
for a; do
	path=${a%%=*} dir=
	while [ "${path#*/}" != "$path" ]; do
		dir=$dir/${path%%/*} path=${path#*/}
		mmd -D s -i "$img" "::$dir" 2>/dev/null || true
	done
	mcopy -o -i "$img" "${a#*=}" "::/${a%%=*}"
done
