#!/bin/bash
# Builds a Debian root for lab hosts. Runs in mount and PID namespaces of its own, so an interrupted build leaves no mount.
# Usage: base_root.sh ROOT CODENAME URI KEYRING SCRIPT; the environment has SOURCES (one-line apt sources),
# APT_CONF (the machine's Acquire settings), PACKAGES (names, separated by blanks) and LOG (a file for all output).
set -euo pipefail
exec >"$LOG" 2>&1
root=$1 codename=$2 uri=$3 keyring=$4 script=$5
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

debootstrap --variant=minbase --keyring="$keyring" "$codename" "$root" "$uri" "$script"

mount -t proc proc "$root/proc"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"

# Nothing starts while packages are installed; the host's own start does that.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
# A throw-away root needs no fsync after each file.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/lab"

# The machine's own way to its package archive, for the time of the build only.
rm -f "$root/etc/apt/sources.list"
printf '%s\n' "$SOURCES" >"$root/etc/apt/sources.list.d/build.list"
printf '%s\n' "$APT_CONF" >"$root/etc/apt/apt.conf.d/99build"
cp --dereference /etc/resolv.conf /etc/hosts "$root/etc/"

chroot "$root" apt-get -q update
chroot "$root" apt-get -q -y dist-upgrade
# shellcheck disable=SC2086 # a list of words
chroot "$root" apt-get -q -y --no-install-recommends install $PACKAGES

# man finds pages without an index, and installing a package would wait for it each time.
rm -f "$root/var/lib/man-db/auto-update"

chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/apt/* "$root"/var/log/*.log
rm -f "$root/etc/apt/sources.list.d/build.list" "$root/etc/apt/apt.conf.d/99build" "$root/usr/sbin/policy-rc.d"
: >"$root/etc/resolv.conf"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
# Every host makes its own identity.
rm -f "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
umount "$root/dev/pts" "$root/proc"
