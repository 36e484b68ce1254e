#!/bin/sh
# zlib.sh DIR: put the part of zlib that inflates into DIR, from Debian's zlib source package.
#
# apt verifies the package's signature; the SHA-256 here pins the upstream tarball beneath it. DIR
# appears complete or not at all and never changes again, so builds may share it. CACHE (default
# ~/.cache/fvp) keeps the package.
set -eu

ORIG=zlib_1.2.13.dfsg.orig.tar.bz2
SHA256=71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1
FILES="LICENSE zlib.h zconf.h zutil.h zutil.c gzguts.h adler32.c crc32.c crc32.h
inflate.c inflate.h inftrees.c inftrees.h inffast.c inffast.h inffixed.h"

die() { echo "zlib: $*" >&2; exit 75; }

[ $# -eq 1 ] || { echo "usage: zlib.sh DIR" >&2; exit 64; }
package=$("$(dirname "$0")/packages.sh" fetch bookworm any src zlib) ||
	die "the source package zlib could not be had; compressed kernels need it"
[ "$(sha256sum < "$package/$ORIG")" = "$SHA256  -" ] ||
	die "$package/$ORIG is not the pinned file: remove $package and try again"

part=$1.part.$$
trap 'rm -rf "$part"' EXIT
mkdir -p "$part/all"
tar -xjf "$package/$ORIG" -C "$part/all" --strip-components=1
for file in $FILES; do cp "$part/all/$file" "$part/"; done
rm -rf "$part/all"
mv -T "$part" "$1" 2>/dev/null || [ -f "$1/LICENSE" ] || die "cannot create $1"
