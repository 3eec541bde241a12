#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Puts the built plugin and its ONNX Runtime where every GStreamer program finds them: install.sh install|uninstall
#
# For this user; for everybody when run by root or with SYSTEM=1; below another root with DESTDIR=. The runtime goes beside the plugin,
# under its versioned name: GStreamer takes whatever ends in .so there, in subfolders too, for a plugin and would put the runtime
# on its blacklist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

if [[ ${SYSTEM:-0} == 1 ]] || ((EUID == 0)); then
    folder=$(pkg-config --variable=pluginsdir gstreamer-1.0) \
        || die "pkg-config does not know GStreamer's plugin folder: run scripts/setup.sh --packages"
else
    folder=${XDG_DATA_HOME:-$HOME/.local/share}/gstreamer-1.0/plugins
fi
folder=${DESTDIR:-}$folder

built=${CARGO_TARGET_DIR:-target}/release/libgstliveness.so
runtime=.setup/lib/libonnxruntime.so

# The registry is GStreamer's, and the variables of a developer's shell would only hide what is not installed.
as_user() { env -u GST_PLUGIN_PATH -u GST_PLUGIN_PATH_1_0 -u GST_REGISTRY -u GST_REGISTRY_1_0 -u ORT_DYLIB_PATH "$@"; }

case ${1:-} in
    install)
        [[ -r $built ]] || die "$built is missing: run make install, which builds it"
        if ! mkdir -p "$folder" 2>/dev/null || [[ ! -w $folder ]]; then
            die "cannot write to $folder: install for yourself (without SYSTEM=1) or as root"
        fi
        install -m 755 "$built" "$folder/"
        printf 'install: %s\n' "$folder/libgstliveness.so"
        if [[ -r $runtime ]]; then
            # Of ours there is only ever one; the plugin would not know which to take.
            rm -f "$folder"/libonnxruntime.so.*
            install -m 644 "$runtime" "$folder/libonnxruntime.so.$(cat .setup/lib/version)"
            printf 'install: %s\n' "$folder/libonnxruntime.so.$(cat .setup/lib/version)"
        else
            printf 'install: no ONNX Runtime in .setup/lib: the one of ORT_DYLIB_PATH or of the system will be used\n'
        fi
        [[ -z ${DESTDIR:-} ]] || exit 0
        # By the name that is ours alone: with OpenCV's plugin installed, facedetect may be the other one.
        listed=$(as_user gst-inspect-1.0 livenessfacedetect) \
            || die 'GStreamer does not list the plugin: GST_DEBUG=GST_PLUGIN_LOADING:5 gst-inspect-1.0 livenessfacedetect says why'
        sed -nE 's/^ *(Long-name|Filename|Version) +/install: GStreamer lists \1: /p' <<<"$listed"
        ;;
    uninstall)
        [[ ! -e $folder/libgstliveness.so || -w $folder ]] || die "cannot write to $folder: run this as the one who installed it"
        rm -fv "$folder/libgstliveness.so" "$folder"/libonnxruntime.so.*
        ;;
    *) die 'usage: scripts/install.sh install|uninstall' ;;
esac
