#!/bin/sh
# Boot an ESP image in QEMU without hardware virtualisation, the machine's console on stdio.
#
# usage: [X=1] boot/qemu.sh x86_64|aarch64 ESP.img [QEMU OPTION]...
# Ctrl-C goes to the guest; Ctrl-A x ends it all. X=1 prints the command. MEMORY (default 1536)
# in MiB, CPUS (default 2), CPU, MACHINE and THREADS replace the defaults; FIRMWARE and
# FIRMWARE_VARS name other UEFI images.
set -eu
[ $# -ge 2 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 64; }
host=$1 esp=$2
shift 2

case $host in
x86_64)
	code=${FIRMWARE:-/usr/share/OVMF/OVMF_CODE.fd}
	vars=${FIRMWARE_VARS:-/usr/share/OVMF/OVMF_VARS.fd}
	machine=${MACHINE:-q35} cpu=${CPU:-max} ;;
aarch64)
	code=${FIRMWARE:-/usr/share/AAVMF/AAVMF_CODE.fd}
	vars=${FIRMWARE_VARS:-/usr/share/AAVMF/AAVMF_VARS.fd}
	machine=${MACHINE:-virt,virtualization=on,gic-version=3} cpu=${CPU:-neoverse-n1} ;;
*)	echo "qemu.sh: unknown host $host" >&2; exit 64 ;;
esac

set -- "qemu-system-$host" -M "$machine" -cpu "$cpu" -smp "${CPUS:-2}" -m "${MEMORY:-1536}" \
	-accel "tcg,thread=${THREADS:-multi}" -nodefaults -display none -no-reboot \
	-chardev stdio,id=console,signal=off -serial chardev:console \
	-drive "if=pflash,format=raw,readonly=on,file=$code" \
	-drive "if=pflash,format=raw,snapshot=on,file=$vars" \
	-drive "if=none,id=esp,format=raw,readonly=on,file=$esp" \
	-device virtio-blk-pci,drive=esp "$@"
[ -z "${X:-}" ] || { echo "$*"; exit 0; }
exec "$@"
