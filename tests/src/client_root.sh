#!/bin/bash
# Adds packages to a base root, as a layer over it. Runs in mount and PID namespaces of its own, so an interrupted build leaves
# no mount. Usage: client_root.sh BASE FOLDER; the layer is FOLDER/root. The environment has SOURCES, APT_CONF, PACKAGES and
# LOG as for base_root.sh.
set -euo pipefail
exec >"$LOG" 2>&1
base=$1 folder=$2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

mkdir "$folder/root" "$folder/work" "$folder/mount"
root=$folder/mount
mount -t overlay -o "lowerdir=$base,upperdir=$folder/root,workdir=$folder/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"

# Nothing starts while packages are installed.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
# The machine's own way to its package archive, for the time of the build only.
printf '%s\n' "$SOURCES" >"$root/etc/apt/sources.list.d/build.list"
printf '%s\n' "$APT_CONF" >"$root/etc/apt/apt.conf.d/99build"
cp --dereference /etc/resolv.conf /etc/hosts "$root/etc/"

chroot "$root" apt-get -q update
# shellcheck disable=SC2086 # a list of words
chroot "$root" apt-get -q -y --no-install-recommends install $PACKAGES

chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/apt/* "$root"/var/log/*.log
rm -f "$root/etc/apt/sources.list.d/build.list" "$root/etc/apt/apt.conf.d/99build" "$root/usr/sbin/policy-rc.d"
: >"$root/etc/resolv.conf"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
umount "$root/dev/pts" "$root/proc"
umount "$root"
rm -rf "$folder/work" "$folder/mount"
