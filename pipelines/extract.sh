#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The faces of a film as training data: pipelines/extract.sh VIDEO DATASET LABEL [PROPERTY=VALUE]...
#
#   filesrc ! decodebin ! videoconvert ! videoflip ! facedetect ! frameextract
#
# The program liveness-extract (examples/extract) does this for many films and pictures, and goes on where it was stopped.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# >= 3)) || usage 'pipelines/extract.sh VIDEO DATASET LABEL [PROPERTY=VALUE]...

Pictures go to DATASET/LABEL, what is known about them to DATASET/manifest.jsonl. The properties are those of frameextract, e.g.
interval=10 (every 10th frame), min-face-size=80, dedup=4.'
video=$1 location=$2 label=$3
shift 3
[[ -r $video ]] || die "cannot read $video"
for property in "$@"; do
    [[ $property == [a-z]*=* ]] || die "$property is not PROPERTY=VALUE"
done

find_plugin
find_detector

# The film is the session, by its name: a trainer keeps it on one side of its split.
play filesrc "location=$video" ! decodebin ! "${upright[@]}" ! "${detect[@]}" \
    ! frameextract "location=$location" "label=$label" "$@"
