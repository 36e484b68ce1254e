#!/bin/sh
# packages.sh install
#	what building, running and testing FVP needs, by apt-get
# packages.sh fetch SUITE ARCH bin|src NAME...
#	unpacks packages of another suite or architecture, prints where
# packages.sh depends SUITE ARCH NAME
#	the first dependency of a package: what a kernel's meta package means today
#
# fetch and depends live in a private apt world under $CACHE (default ~/.cache/fvp): own lists,
# status and configuration, nothing of the machine's is written. Its sources are the machine's own
# Debian mirrors with the suite exchanged, its trust the installed Debian keyring, and apt verifies
# every signature. What was unpacked once is used again without the network; remove $CACHE to renew.
#
# A mirror can be in mid-sync: its index is newer than its package list. After three tries the
# suite's alias (stable, oldstable, testing) is asked, which often still is the last consistent
# state, then the last good index is used. bin unpacks into CACHE/SUITE-ARCH/root/NAME, src into
# CACHE/SUITE-src/src/NAME.
set -eu

BUILD="clang lld llvm make binutils dpkg-dev xz-utils bzip2 gzip cpio gnu-efi fonts-spleen
linux-libc-dev"
RUN="qemu-system-x86 qemu-system-arm qemu-system-misc ovmf qemu-efi-aarch64 mtools"
TEST="acpica-tools libc6-dev libcmocka-dev libclang-rt-14-dev clang-format device-tree-compiler
python3 qemu-user-static gcc gcc-riscv64-unknown-elf gcc-riscv64-linux-gnu
libc6-dev-riscv64-cross opensbi u-boot-qemu util-linux libc6-dev-arm64-cross
libgcc-12-dev-arm64-cross bochs bochsbios vgabios"
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
CACHE=${CACHE:-$HOME/.cache/fvp}

say() { echo "packages: $*" >&2; }
die() { say "$1"; exit "${2:-69}"; }

packages_missing()
{
	for p in $BUILD $RUN $TEST; do
		dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed ||
			echo "$p"
	done
}

packages_install()
{
	command -v apt-get >/dev/null ||
		die "no apt-get here: install these by hand: $BUILD $RUN $TEST"
	missing=$(packages_missing | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" = 0 ]; then root=; elif command -v sudo >/dev/null; then root=sudo
	else die "missing: $missing- run this as root, or: apt-get install $missing"; fi
	say "installing $missing"
	$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 update ||
		say "apt-get update failed, going on with the old lists"
	# shellcheck disable=SC2086
	$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 \
		-o DPkg::Lock::Timeout=300 --no-install-recommends install $missing >/dev/null ||
		die "apt-get could not install $missing"
	missing=$(packages_missing | tr '\n' ' ')
	[ -z "$missing" ] || die "still missing after apt-get: $missing"
}

# world_sources SUITE: the machine's Debian mirrors, whatever their files' format, for another
# suite. Sources come from the release itself only: what is pinned by hash must not move.
world_sources()
{
	apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sort -u | while read -r uri release component; do
		[ "$component" = main ] || continue
		case $release in
		bookworm | stable | oldstable) pocket= ;;
		bookworm-updates | stable-updates | oldstable-updates) pocket=-updates ;;
		bookworm-security | stable-security | oldstable-security) pocket=-security ;;
		*) continue ;;
		esac
		[ "$types$pocket" = deb-src ] || [ "$types" = deb ] || continue
		printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
			"$types" "$uri" "$1$pocket" "$KEYRING"
	done
}

# world_enter NAME: write the configuration of one index and make apt use it. The machine's own is
# not read (it may hold hooks), but its proxies are.
world_enter()
{
	unset APT_CONFIG
	i=$w/index/$1
	mkdir -p "$i/lists/partial" "$i/parts" "$w/cache/archives/partial"
	: > "$w/status"
	world_sources "$1" > "$i/debian.sources"
	[ -s "$i/debian.sources" ] || die "found no Debian mirror among this machine's apt sources"
	{
		apt-config dump | grep -E '^Acquire::(http|https|ftp|socks)[: ]' || :
		cat <<-E
		Dir::Etc::Main "/dev/null";
		Dir::Etc::Parts "$i/parts";
		Dir::Etc::SourceList "$i/debian.sources";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State "$w";
		Dir::State::Status "$w/status";
		Dir::State::Lists "$i/lists";
		Dir::Cache "$w/cache";
		APT::Architecture "$machine";
		APT::Architectures { "$machine"; };
		APT::Get::AllowUnauthenticated "false";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		E
	} > "$i/apt.conf"
	export APT_CONFIG="$i/apt.conf"
}

# Is the entered index complete, and really that of $suite?
world_good()
{
	found=$(find "$i/lists" -maxdepth 1 -name "*_main_$index*" \
		! -name '*-updates_*' ! -name '*-security_*')
	[ -n "$found" ] && grep -qx "Codename: $suite" "$i"/lists/*InRelease
}

world_refresh()		# NAME TRIES
{
	world_enter "$1"
	n=0
	until apt-get -qq update >"$w/log" 2>&1; do
		n=$((n + 1))
		[ "$n" -lt "$2" ] || break
		sleep 5
	done
	world_good
}

# Enter an index of $suite/$arch, no older than half a day if the mirror lets us.
world_open()
{
	w=$CACHE/$suite-$arch
	mkdir -p "$w"
	w=$(cd "$w" && pwd)
	exec 9>"$w/lock"
	flock 9
	last=$(cat "$w/last" 2>/dev/null || :)
	if [ -n "$last" ] && [ -n "$(find "$w/last" -mmin -720)" ]; then
		world_enter "$last"
		! world_good || return 0
	fi
	for alias in "$suite:3" stable:1 oldstable:1 testing:1; do
		if world_refresh "${alias%:*}" "${alias#*:}"; then
			[ "${alias%:*}" = "$suite" ] ||
				say "$suite/$arch is in mid-sync, using the index of ${alias%:*}"
			echo "${alias%:*}" > "$w/last"
			return 0
		fi
	done
	[ -n "$last" ] ||
		{ cat "$w/log" >&2; die "no index of $suite/$arch can be had; try again later" 75; }
	say "the index of $suite/$arch could not be refreshed, using the last good one"
	world_enter "$last"
	world_good || die "no index of $suite/$arch" 75
}

unpack_bin()		# NAME
{
	mkdir -p "$w/deb/$1" "$w/root"
	( cd "$w/deb/$1" && rm -f ./*.deb && apt-get -qq download "$1" ) ||
		die "$1 ($suite/$arch) could not be downloaded" 75
	rm -rf "$w/root/$1.part"
	dpkg-deb -x "$w/deb/$1/"*.deb "$w/root/$1.part"
	rm -rf "$w/deb/$1"
	mv "$w/root/$1.part" "$w/root/$1"
}

unpack_src()		# NAME
{
	rm -rf "$w/src/$1.part"
	mkdir -p "$w/src/$1.part"
	( cd "$w/src/$1.part" && apt-get -qq source --only-source "$1" ) >"$w/log" 2>&1 ||
		{ cat "$w/log" >&2; die "source of $1 ($suite) could not be had" 75; }
	mv "$w/src/$1.part" "$w/src/$1"
}

packages_fetch()
{
	[ $# -ge 4 ] || die "usage: packages.sh fetch SUITE ARCH bin|src NAME..." 64
	suite=$1 arch=$2 kind=$3
	shift 3
	case $kind in
	bin) types=deb machine=$arch sub=root index="binary-${arch}_Packages" ;;
	src) types=deb-src machine=$(dpkg --print-architecture) sub=src index=source_Sources
		arch=src ;;
	*) die "bin or src, not $kind" 64 ;;
	esac
	opened=
	for name; do
		if [ ! -d "$CACHE/$suite-$arch/$sub/$name" ]; then
			[ -n "$opened" ] || world_open
			opened=1
			[ -d "$w/$sub/$name" ] || "unpack_$kind" "$name"
		fi
		echo "$CACHE/$suite-$arch/$sub/$name"
	done
}

packages_depends()
{
	suite=$1 arch=$2 machine=$2 types=deb index="binary-${2}_Packages"
	if [ ! -f "$CACHE/$suite-$arch/depends/$3" ]; then
		world_open
		mkdir -p "$w/depends"
		apt-cache depends "$3" | awk '$1 == "Depends:" { print $2; exit }' \
			> "$w/depends/$3.part"
		[ -s "$w/depends/$3.part" ] || die "$3 ($suite/$arch) depends on nothing" 75
		mv "$w/depends/$3.part" "$w/depends/$3"
	fi
	cat "$CACHE/$suite-$arch/depends/$3"
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in
install) packages_install ;;
fetch) packages_fetch "$@" ;;
depends) packages_depends "$@" ;;
*) die "usage: packages.sh install | fetch SUITE ARCH bin|src NAME... | depends SUITE ARCH NAME" \
	64 ;;
esac
