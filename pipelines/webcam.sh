#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# A camera of this machine: pipelines/webcam.sh [DEVICE]
#
#   v4l2src ! decodebin ! queue leaky ! videoconvert ! facedetect ! livenessclassify ! livenessoverlay ! sink
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ $# -le 1 && ${1:-} != -* ]] || usage 'pipelines/webcam.sh [DEVICE]        e.g. pipelines/webcam.sh /dev/video2 (default: /dev/video0)'
device=${1:-/dev/video0}
[[ -r $device ]] || die "no camera at $device (or no right to use it: add yourself to the group video); v4l2-ctl --list-devices lists them"

find_plugin
find_models
# Frames are shown as they are ready: waiting for their time would only show them late.
find_sink autovideosink sync=false

# decodebin takes what the camera gives, raw frames or JPEG.
play v4l2src "device=$device" ! decodebin ! "${newest[@]}" ! videoconvert ! "${analyse[@]}" ! "${sink[@]}"
