#!/bin/sh
# softfloat.sh DIR: Berkeley SoftFloat-3e's source into DIR, from Debian's source package edk2.
#
# apt verifies the package's signature; the SHA-256 here pins the upstream tarball beneath it, so a
# point release may change Debian's patches but never the arithmetic. DIR appears complete or not
# at all and never changes again, so builds may share it. CACHE (default ~/.cache/fvp) keeps the
# package.
set -eu

ORIG=edk2_2022.11.orig.tar.xz
SHA256=64257dd8a2778c969b8a869cd3b6eda2db2a346bfcf24dc729859745968f1fd6
INSIDE=ArmPkg/Library/ArmSoftFloatLib/berkeley-softfloat-3

die() { echo "softfloat: $*" >&2; exit 75; }

[ $# -eq 1 ] || { echo "usage: softfloat.sh DIR" >&2; exit 64; }
package=$("$(dirname "$0")/../../guests/packages.sh" fetch bookworm amd64 src edk2) ||
	die "the source package edk2 could not be had: without it floating point cannot be built"
[ "$(sha256sum < "$package/$ORIG")" = "$SHA256  -" ] ||
	die "$package/$ORIG is not the pinned file: remove $package and try again"

part=$1.part.$$
trap 'rm -rf "$part"' EXIT
mkdir -p "$part"
tar -xJf "$package/$ORIG" -C "$part" --strip-components=5 --wildcards \
	"*/$INSIDE/COPYING.txt" "*/$INSIDE/source/*"
mv -T "$part" "$1" 2>/dev/null || [ -f "$1/COPYING.txt" ] || die "cannot create $1"
