#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# build.sh OUTDIR: makes OUTDIR/lakefs-dkms_VERSION_all.deb, a package that
# compiles lakefs.ko on the machine it is installed on, and prints its path.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$(mkdir -p "${1:?usage: build.sh OUTDIR}" && cd "$1" && pwd)
version=$(sed -n 's,.*<Version>\([0-9.]*\)</Version>.*,\1,p' \
	"$root/daemon/laked/laked.csproj")
[ -n "$version" ] || { echo "build.sh: no version found" >&2; exit 1; }
tree=$(mktemp -d "$out/dkms.XXXXXX")
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
src=$tree/usr/src/lakefs-$version
doc=$tree/usr/share/doc/lakefs-dkms

fill() { sed "s/@VERSION@/$version/g" "$here/$1.in"; }

mkdir -p "$src/kernel" "$src/proto" "$doc" "$tree/DEBIAN"
cp "$root"/kernel/{*.c,*.h,Kbuild} "$src/kernel/"
cp "$root"/proto/*.h "$src/proto/"
fill dkms.conf >"$src/dkms.conf"
for script in postinst prerm; do
	fill $script >"$tree/DEBIAN/$script"
done
cat >"$doc/copyright" <<-'END'
	Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
	Upstream-Name: DeepLake

	Files: usr/src/lakefs-*/kernel/*
	Copyright: the DeepLake authors
	License: GPL-2
	 /usr/share/common-licenses/GPL-2

	Files: usr/src/lakefs-*/proto/*
	Copyright: the DeepLake authors
	License: GPL-2 or MPL-2.0
	 /usr/share/common-licenses/GPL-2, /usr/share/common-licenses/MPL-2.0
END
find "$tree" -type d -exec chmod 755 {} +
find "$tree" -type f -exec chmod 644 {} +
chmod 755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm"
cat >"$tree/DEBIAN/control" <<-END
	Package: lakefs-dkms
	Version: $version
	Architecture: all
	Maintainer: DeepLake <root@localhost>
	Section: kernel
	Priority: optional
	Depends: dkms (>= 3.0)
	Recommends: linux-headers-amd64 | linux-headers-cloud-amd64 | linux-headers
	Installed-Size: $(du -sk --apparent-size "$tree/usr" | cut -f1)
	Description: DeepLake filesystem, source of the kernel module
	 The kernel half of DeepLake, a root filesystem whose durable metadata is
	 kept by a daemon in userspace. DKMS compiles lakefs.ko for each kernel
	 whose headers are installed, 6.1 or later, on amd64.
	 .
	 Mounting a lake needs the daemon laked of the same release too.
END
deb=$out/lakefs-dkms_${version}_all.deb
# The same source makes the same package, whenever.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600} dpkg-deb \
	--root-owner-group --build "$tree" "$deb" >/dev/null
printf '%s\n' "$deb"
