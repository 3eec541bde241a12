#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The environment in which the freshly built plugin is found: `scripts/env.sh COMMAND…`, or `. scripts/env.sh` for a whole shell.
#
# GStreamer walks through every folder below its plugin path, so it is not shown target/ but a folder with the one plugin in it, and a
# registry of our own keeps the user's untouched. LIVENESS_PROFILE=debug takes the debug build.

liveness_env() {
    local base folder library
    base=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || return 1
    library=${CARGO_TARGET_DIR:-$base/target}
    [[ $library == /* ]] || library=$base/$library
    library=$library/${LIVENESS_PROFILE:-release}/libgstliveness.so
    folder=$base/target/gst-plugin

    # A link, so that it is always the last build.
    mkdir -p "$folder" && ln -sfn "$library" "$folder/libgstliveness.so" || return 1

    # ONNX Runtime: what the user has chosen comes first.
    if [[ -z ${ORT_DYLIB_PATH:-} && -e $base/.setup/lib/libonnxruntime.so ]]; then
        export ORT_DYLIB_PATH=$base/.setup/lib/libonnxruntime.so
    fi
    # Sourcing twice must not make the path longer.
    case ":${GST_PLUGIN_PATH:-}:" in
        *":$folder:"*) ;;
        *) export GST_PLUGIN_PATH=$folder${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH} ;;
    esac
    export GST_REGISTRY=$base/target/gst-registry.bin
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    if (($# == 0)); then
        printf 'usage: scripts/env.sh COMMAND [ARGUMENT]...\n' >&2
        exit 2
    fi
    liveness_env
    exec "$@"
fi
liveness_env
