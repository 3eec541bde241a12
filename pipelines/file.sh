#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# A video file, every frame of it: pipelines/file.sh VIDEO
#
#   filesrc ! decodebin ! videoconvert ! videoflip ! facedetect ! livenessclassify ! livenessoverlay ! sink
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# == 1)) || usage 'pipelines/file.sh VIDEO            e.g. pipelines/file.sh .setup/clips/demo.mp4'
[[ -r $1 ]] || die "cannot read $1"
[[ -z ${OUT:-} || ! $1 -ef $OUT ]] || die "$OUT is the film itself: choose another name, it would be overwritten"

find_plugin
find_models
find_sink autovideosink

play filesrc "location=$1" ! decodebin ! "${upright[@]}" ! "${analyse[@]}" ! "${sink[@]}"
