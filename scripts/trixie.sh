#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The tests that need a newer GStreamer than this system's, in a Debian 13 (GStreamer 1.26) of their own: trixie.sh [TEST]...
#
# Makes the root of a Debian 13 once, 2 GB below .setup/, out of Debian's packages and nothing else (MIRROR says from where); later runs
# fetch nothing. This system's Rust builds in it, as Debian 13's own is too old. Needs root, for chroot and mounts, which nobody outside sees.
#
# Variables: LIVENESS_TRIXIE  a root that is there already
#            MIRROR           where Debian's packages are (default: where debootstrap looks by itself)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly repository=$PWD
readonly root=${LIVENESS_TRIXIE:-$repository/.setup/trixie}
readonly PACKAGES=(
    build-essential pkg-config
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev libgstrtspserver-1.0-dev libpango1.0-dev libcairo2-dev
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-x fonts-dejavu-core
)

die() {
    printf 'trixie: error: %s\n' "$*" >&2
    exit 1
}

# What runs in a mount namespace of its own: its mounts end with it.
if [[ ${1:-} == --inside ]]; then
    shift
    mount --make-rprivate /
    for folder in "$repository" "$LIVENESS_TARGET" "$LIVENESS_SYSROOT" "$LIVENESS_CARGO_HOME"; do
        mkdir -p "$root$folder"
        mount --bind "$folder" "$root$folder"
    done
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    # No network: what cargo needs was fetched before. The single quotes are meant: the shell in there reads it.
    # shellcheck disable=SC2016
    exec chroot "$root" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 PATH="$LIVENESS_SYSROOT/bin:/usr/bin:/bin" \
        CARGO_HOME="$LIVENESS_CARGO_HOME" CARGO_TARGET_DIR="$LIVENESS_TARGET" CARGO_BUILD_JOBS="${CARGO_BUILD_JOBS:-}" \
        ORT_DYLIB_PATH="$repository/.setup/lib/libonnxruntime.so" \
        bash -c 'cd "$1" && shift && [[ -n $CARGO_BUILD_JOBS ]] || unset CARGO_BUILD_JOBS
            exec cargo test --offline --locked -p gst-plugin-liveness --features v1_26 "$@"' bash "$repository" "$@"
fi

((EUID == 0)) || die 'chroot and mounts need root: run it as root, or leave it out'
command -v cargo >/dev/null || die 'cargo is missing: install Rust with rustup (stable), then run this again'
[[ -e .setup/lib/libonnxruntime.so ]] || die 'ONNX Runtime is missing: run scripts/setup.sh --runtime'

if [[ ! -e $root/.complete ]]; then
    command -v debootstrap >/dev/null || die 'debootstrap is missing: apt-get install debootstrap'
    [[ ! -e $root ]] || die "$root is there, and not one that this script has finished: name another one, or take it away"
    # Made aside: an interrupted run leaves nothing that looks finished.
    rm -rf "$root.part"
    mkdir -p "$root.part"
    debootstrap --variant=minbase trixie "$root.part" ${MIRROR:+"$MIRROR"} >/dev/null \
        || die "debootstrap failed: can Debian's packages be reached? (MIRROR names another mirror)"
    chroot "$root.part" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${PACKAGES[@]}" >/dev/null \
        || die "apt-get could not install Debian 13's packages: its messages stand above"
    touch "$root.part/.complete"
    mv "$root.part" "$root"
fi

tests=()
for test in "${@:-analytics}"; do tests+=(--test "$test"); done

cargo fetch --locked
LIVENESS_SYSROOT=$(rustc --print sysroot)
# A folder of its own: nothing that was built against one GStreamer fits another one.
LIVENESS_TARGET=${CARGO_TARGET_DIR:-$repository/target}/trixie
LIVENESS_CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
export LIVENESS_SYSROOT LIVENESS_TARGET LIVENESS_CARGO_HOME
mkdir -p "$LIVENESS_TARGET"
exec unshare --mount "$repository/scripts/trixie.sh" --inside "${tests[@]}"
