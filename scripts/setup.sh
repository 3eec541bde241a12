#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Makes this machine ready: setup.sh [--packages | --runtime | --assets | --oracle | --tests | --peers]...   (without an option: all but
# the last)
#
#   --packages  what the build and the pipelines need from the system (GStreamer, a C compiler, Python)
#   --runtime   ONNX Runtime, to .setup/lib/libonnxruntime.so
#   --assets    pictures and the clips made of them, to .setup/pictures and .setup/clips
#   --oracle    a Python environment that tests compare with, to .setup/venv; only where LIVENESS_ASSETS exists
#   --tests     programs that nothing but the tests needs; what cannot be installed is named, and its tests skip
#   --peers     OpenCV for Python, which `make bench` compares with, to .setup/peers; where it cannot be had, that is left out
#
# May be run at any time and any number of times: what is there already is neither fetched nor made again, and then the network is not
# touched. Everything but the system's packages stays below .setup/, so `make clean` takes it away.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly SETUP=$PWD/.setup

# The newest ONNX Runtime that was tried with the crate `ort` as Cargo.toml pins it.
readonly ORT_VERSION=1.24.4
readonly SKIMAGE_VERSION=0.25.2
readonly SKIMAGE_SHA256=24cc986e1f4187a12aa319f777b36008764e856e5013666a4a83f8df083c2641
readonly ORACLE_PACKAGES=("onnxruntime==$ORT_VERSION" numpy==2.4.6 pillow==13.0.0 onnx==1.22.0)
readonly PEER_PACKAGES=(opencv-python-headless==5.0.0.93 numpy==2.4.6 onnx==1.22.0)

# Debian's and Ubuntu's names. GStreamer's plugins: base and good for files, cameras and RTSP, bad for SVG and RTMP, ugly and libav for
# H.264, x for a window to look at.
readonly APT_PACKAGES=(
    build-essential pkg-config
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev libpango1.0-dev libcairo2-dev
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x
    fonts-dejavu-core python3 python3-venv ca-certificates
)

# What tests start: a display for windows, a browser for the web page; for the door guard a voice, a mail server, a bus and a logind on it;
# OpenCV's plugin with its model, whose facedetect ours is held against; for the fleet a NATS server (its package also starts one on
# 127.0.0.1:4222, which the tests do not use).
readonly TEST_PACKAGES=(xvfb chromium espeak-ng python3-aiosmtpd dbus-daemon python3-dbusmock gstreamer1.0-opencv opencv-data nats-server)

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: error: %s\n' "$*" >&2
    exit 1
}

# Everything is made in here and moved into place when it is whole: an interrupted run leaves nothing that looks finished.
work=
cleanup() { [[ -z $work ]] || rm -rf "$work"; }
trap cleanup EXIT
make_work() {
    [[ -n $work ]] && return
    mkdir -p "$SETUP"
    work=$(mktemp -d "$SETUP/.work.XXXXXX")
}

sha256_of() {
    if command -v sha256sum >/dev/null; then
        sha256sum <"$1" | cut -d' ' -f1
    else
        shasum -a 256 <"$1" | cut -d' ' -f1
    fi
}

# --- the system's packages ------------------------------------------------------------------------------------------------------

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "packages must be installed by root and there is no sudo. As root, run: $*"
    fi
}

# usage: apt_missing PACKAGE...
apt_missing() {
    local package
    for package; do
        # shellcheck disable=SC2016 # dpkg-query's own placeholder
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
    done
}

# usage: apt_install PACKAGE...
apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

apt_packages() {
    local missing
    mapfile -t missing < <(apt_missing "${APT_PACKAGES[@]}")
    if ((${#missing[@]} == 0)); then
        say "packages: all ${#APT_PACKAGES[@]} are installed"
        return
    fi
    say "packages: installing ${missing[*]}"
    # A stale list is the commonest cause of a failed install, a mirror that is down the commonest of a failed update: the second may
    # not matter, so only the install decides.
    as_root apt-get update -qq || say 'packages: apt-get update failed, going on with the lists that are there'
    apt_install "${missing[@]}" \
        || die "apt-get could not install: ${missing[*]}. Install them by hand (its messages stand above), then run this again"
    say 'packages: installed'
}

# What the packages are for, asked of the tools themselves: the only way to know on a system whose package names are not ours.
have_everything() {
    local module element
    for module in pkg-config python3 cc gst-launch-1.0 gst-inspect-1.0; do
        command -v "$module" >/dev/null || return 1
    done
    for module in gstreamer-1.0 gstreamer-video-1.0 gstreamer-app-1.0 gstreamer-check-1.0 gstreamer-rtsp-server-1.0 pangocairo; do
        pkg-config --exists "$module" || return 1
    done
    for element in x264enc avdec_h264 rsvgdec jpegdec pngenc rtspsrc souphttpsrc mp4mux matroskamux; do
        gst-inspect-1.0 --exists "$element" || return 1
    done
}

other_system() {
    local id='' like='' install
    if [[ $(uname -s) == Darwin ]]; then
        id=macos
    elif [[ -r /etc/os-release ]]; then
        # In a subshell: os-release sets many variables of its own.
        # shellcheck source=/dev/null
        id=$(. /etc/os-release && printf '%s' "${ID:-}")
        # shellcheck source=/dev/null
        like=$(. /etc/os-release && printf '%s' "${ID_LIKE:-}")
    fi
    if have_everything; then
        say 'packages: everything that is needed is there'
        return
    fi
    case " $id $like " in
        *' macos '*)
            install='brew install gstreamer pango cairo pkgconf python3'
            ;;
        *' fedora '* | *' rhel '*)
            install='sudo dnf install gcc pkgconf-pkg-config gstreamer1-devel gstreamer1-plugins-base-devel gstreamer1-rtsp-server-devel pango-devel cairo-devel gstreamer1 gstreamer1-plugins-base gstreamer1-plugins-good gstreamer1-plugins-bad-free gstreamer1-plugins-bad-free-extras gstreamer1-plugin-libav gstreamer1-plugins-ugly dejavu-sans-fonts python3
  (gstreamer1-plugins-ugly and H.264 in libav come from the RPM Fusion repositories)'
            ;;
        *' arch '*)
            install='sudo pacman -S --needed base-devel pkgconf gstreamer gst-plugins-base gst-plugins-good gst-plugins-bad gst-plugins-ugly gst-libav gst-rtsp-server pango cairo ttf-dejavu python'
            ;;
        *' alpine '*)
            install='sudo apk add build-base pkgconf gstreamer-dev gst-plugins-base-dev gst-rtsp-server-dev pango-dev cairo-dev gstreamer-tools gst-plugins-good gst-plugins-bad gst-plugins-ugly gst-libav font-dejavu python3
  (Alpine uses musl; ONNX Runtime is published for glibc only: build it yourself and set ORT_DYLIB_PATH)'
            ;;
        *' suse '* | *' opensuse '*)
            install='sudo zypper install gcc pkgconf-pkg-config gstreamer-devel gstreamer-plugins-base-devel gstreamer-rtsp-server-devel pango-devel cairo-devel gstreamer-utils gstreamer-plugins-good gstreamer-plugins-bad gstreamer-plugins-ugly gstreamer-plugins-libav dejavu-fonts python3
  (x264 and H.264 in libav come from the Packman repository)'
            ;;
        *)
            install='a C compiler, pkg-config, Python 3, and GStreamer 1.22 or newer with its headers, its RTSP server library, its tools and the plugin sets base, good, bad, ugly and libav; Pango and Cairo with headers'
            ;;
    esac
    printf 'setup: error: packages can be installed only where there is apt-get. Install these, then run this again:\n\n  %s\n\n' \
        "$install" >&2
    exit 1
}

packages() {
    command -v cargo >/dev/null || die 'cargo is missing: install Rust with rustup (stable), then run this again'
    if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
        apt_packages
    else
        other_system
    fi
}

# --- Python's packages, as a source of files --------------------------------------------------------------------------------------

# Whatever pip there is; failing that, the one that comes with python3-venv. Sets the array `pip`.
pip=()
find_pip() {
    ((${#pip[@]} == 0)) || return 0
    command -v python3 >/dev/null || die 'python3 is missing: run scripts/setup.sh --packages'
    if python3 -m pip --version >/dev/null 2>&1; then
        pip=(python3 -m pip)
    else
        make_work
        python3 -m venv "$work/pip" >/dev/null \
            || die 'there is neither pip nor a working python3 -m venv: install python3-venv (or pip for the python3 on your PATH)'
        pip=("$work/pip/bin/python" -m pip)
    fi
}

# usage: fetch_wheel REQUIREMENT PLATFORM SHA256; the path of the file is left in `wheel`.
# Any Python will do: the wheel is named in full, since only its files are wanted, not the module.
fetch_wheel() {
    local requirement=$1 platform=$2 expected=$3 found folder
    make_work
    find_pip
    folder=$(mktemp -d "$work/wheel.XXXXXX")
    "${pip[@]}" --quiet --disable-pip-version-check download --no-deps --only-binary=:all: --implementation cp --python-version 3.11 \
        --platform "$platform" --dest "$folder" "$requirement" \
        || die "pip could not fetch $requirement: is the network there? (A mirror is set with PIP_INDEX_URL or in pip.conf)"
    wheel=$(find "$folder" -name '*.whl' -print -quit)
    [[ -n $wheel ]] || die "pip fetched no wheel of $requirement"
    found=$(sha256_of "$wheel")
    [[ $found == "$expected" ]] \
        || die "$requirement has the wrong sha256, nothing of it is used: expected $expected, found $found. Try again; if it stays, the mirror serves something else"
}

# usage: unpack WHEEL MEMBER... into $work, without their folders
unpack() {
    python3 - "$work" "$@" <<'PYTHON'
import pathlib, sys, zipfile

folder, wheel, *members = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for member in members:
        (pathlib.Path(folder) / pathlib.PurePosixPath(member).name).write_bytes(archive.read(member))
PYTHON
}

# A file that was moved into place carries its sum beside it, so that a damaged one is noticed and made again.
intact() { [[ -f $1 && -f $1.sha256 && $(sha256_of "$1") == "$(cat "$1.sha256")" ]]; }
put() {
    local from=$1 to=$2
    mkdir -p "$(dirname "$to")"
    rm -f "$to.sha256"
    mv -f "$from" "$to"
    sha256_of "$to" >"$work/sum"
    mv -f "$work/sum" "$to.sha256"
}

# --- ONNX Runtime -------------------------------------------------------------------------------------------------------------------

runtime() {
    local library=$SETUP/lib/libonnxruntime.so stamp=$SETUP/lib/version platform sum
    if [[ $(cat "$stamp" 2>/dev/null) == "$ORT_VERSION" ]] && intact "$library"; then
        say "ONNX Runtime $ORT_VERSION: already there"
        return
    fi
    # A damaged file goes at once: whatever happens below, nobody shall load it.
    intact "$library" || rm -f "$library" "$library.sha256"
    case $(uname -s)-$(uname -m) in
        Linux-x86_64)
            platform=manylinux_2_28_x86_64 sum=e54ad52e61d2d4618dcff8fa1480ac66b24ee2eab73331322db1049f11ccf330
            ;;
        Linux-aarch64)
            platform=manylinux_2_28_aarch64 sum=046ff290045a387676941a02a8ae5c3ebec6b4f551ae228711968c4a69d8f6b7
            ;;
        *)
            [[ -n ${ORT_DYLIB_PATH:-} ]] \
                || die "no ONNX Runtime is known for $(uname -s) on $(uname -m): install version 1.20 or newer and set ORT_DYLIB_PATH to its library"
            say "ONNX Runtime: taken from ORT_DYLIB_PATH ($ORT_DYLIB_PATH)"
            return
            ;;
    esac
    fetch_wheel "onnxruntime==$ORT_VERSION" "$platform" "$sum"
    unpack "$wheel" "onnxruntime/capi/libonnxruntime.so.$ORT_VERSION"
    put "$work/libonnxruntime.so.$ORT_VERSION" "$library"
    printf '%s\n' "$ORT_VERSION" >"$stamp"
    say "ONNX Runtime $ORT_VERSION: fetched to $library"
}

# --- pictures and clips -----------------------------------------------------------------------------------------------------------

assets() {
    # A face (NASA's portrait of Eileen Collins, public domain) and pictures without one, a cat's face among them.
    local pictures=(astronaut.png coffee.png chelsea.png rocket.jpg) picture absent=0
    for picture in "${pictures[@]}"; do
        intact "$SETUP/pictures/$picture" || absent=1
    done
    if ((absent)); then
        fetch_wheel "scikit-image==$SKIMAGE_VERSION" manylinux_2_17_x86_64 "$SKIMAGE_SHA256"
        unpack "$wheel" "${pictures[@]/#/skimage/data/}"
        for picture in "${pictures[@]}"; do put "$work/$picture" "$SETUP/pictures/$picture"; done
        say "pictures: fetched to $SETUP/pictures"
    else
        say 'pictures: already there'
    fi
    scripts/clips.sh "$SETUP/pictures" "$SETUP/clips" | sed 's/^/setup: /'
}

# --- the oracle -------------------------------------------------------------------------------------------------------------------

oracle() {
    local data=${LIVENESS_ASSETS:-../shared/assets} venv=$SETUP/venv wanted="${ORACLE_PACKAGES[*]}"
    if [[ ! -d $data ]]; then
        say "oracle: not needed, there are no test sets at $data (LIVENESS_ASSETS)"
        return
    fi
    if [[ $(cat "$venv/.complete" 2>/dev/null) == "$wanted" ]] && "$venv/bin/python" -c 'import onnxruntime' 2>/dev/null; then
        say 'oracle: already there'
        return
    fi
    # A venv knows its own path, so it cannot be moved into place: a mark inside says that it is whole.
    rm -rf "$venv"
    mkdir -p "$SETUP"
    python3 -m venv "$venv" >/dev/null || die 'python3 -m venv does not work: install python3-venv'
    "$venv/bin/python" -m pip --quiet --disable-pip-version-check install "${ORACLE_PACKAGES[@]}" \
        || die "pip could not install $wanted into $venv (needed since $data exists): is the network there, is python3 3.11 or newer?"
    printf '%s\n' "$wanted" >"$venv/.complete"
    say "oracle: $wanted in $venv"
}

# --- what only tests need ---------------------------------------------------------------------------------------------------------

tests() {
    local missing package
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "tests: no apt-get here, so these are for you to install: ${TEST_PACKAGES[*]}"
        return
    fi
    mapfile -t missing < <(apt_missing "${TEST_PACKAGES[@]}")
    if ((${#missing[@]} == 0)); then
        say "tests: all ${#TEST_PACKAGES[@]} packages are installed"
        return
    fi
    as_root apt-get update -qq || say 'tests: apt-get update failed, going on with the lists that are there'
    # One by one: not every system has all of them.
    for package in "${missing[@]}"; do
        say "tests: installing $package"
        apt_install "$package" || say "tests: $package could not be installed, and tests that need it skip"
    done
}

# --- what speed is compared with --------------------------------------------------------------------------------------------------

# Nothing fails here: a comparison that cannot be made is left out of the table.
peers() {
    local venv=$SETUP/peers wanted="${PEER_PACKAGES[*]}"
    if [[ $(cat "$venv/.complete" 2>/dev/null) == "$wanted" ]]; then
        say 'peers: already there'
        return
    fi
    rm -rf "$venv"
    mkdir -p "$SETUP"
    if python3 -m venv "$venv" >/dev/null \
        && "$venv/bin/python" -m pip --quiet --disable-pip-version-check install "${PEER_PACKAGES[@]}"; then
        printf '%s\n' "$wanted" >"$venv/.complete"
        say "peers: $wanted in $venv"
    else
        rm -rf "$venv"
        say "peers: $wanted cannot be had, so nothing is compared with OpenCV for Python"
    fi
}

# ----------------------------------------------------------------------------------------------------------------------------------

(($#)) || set -- --packages --runtime --assets --oracle --tests
for step; do
    case $step in
        --packages | --runtime | --assets | --oracle | --tests | --peers) ;;
        -h | --help)
            sed -n '4,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit
            ;;
        *) die "unknown option $step: the options are --packages, --runtime, --assets, --oracle, --tests and --peers" ;;
    esac
done
for step; do "${step#--}"; done
