#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# A network camera: pipelines/rtsp.sh rtsp://HOST/PATH [LATENCY_MS]
#
#   rtspsrc ! decodebin ! queue leaky ! videoconvert ! facedetect ! livenessclassify ! livenessoverlay ! sink
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# == 1 || $# == 2)) || usage 'pipelines/rtsp.sh rtsp://[USER:PASSWORD@]HOST[:PORT]/PATH [LATENCY_MS]

LATENCY_MS is how long packets that are late are waited for (default: 200). More on a bad network, less for a quicker picture.'
[[ $1 == rtsp://* || $1 == rtsps://* || $1 == rtspt://* ]] || die "$1 is not an rtsp:// address"

find_plugin
find_models
find_sink autovideosink sync=false

# Many cameras send sound as well, so the picture is asked for by name. drop-on-latency: after a stall, go on with the present.
play rtspsrc name=camera "location=$1" "latency=${2:-200}" drop-on-latency=true \
    camera. ! 'application/x-rtp,media=(string)video' ! decodebin ! "${newest[@]}" ! videoconvert ! "${analyse[@]}" ! "${sink[@]}"
