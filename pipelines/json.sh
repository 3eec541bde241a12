#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The faces of a film as lines of JSON, one per frame: pipelines/json.sh VIDEO FACES.jsonl [PROPERTY=VALUE]...
#
#   filesrc ! decodebin ! videoconvert ! videoflip ! facedetect ! livenessclassify ! livenessmetaconvert ! filesink
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# >= 2)) || usage 'pipelines/json.sh VIDEO FACES.jsonl [PROPERTY=VALUE]...

Each line is an object in the layout of DL Streamer, see docs/faces.schema.json. The properties are those of livenessmetaconvert, e.g.
add-empty-results=false (no lines without faces). livenessmetaattach reads the file.'
video=$1 out=$2
shift 2
[[ -r $video ]] || die "cannot read $video"
[[ ! $video -ef $out ]] || die "$out is the film itself: choose another name, it would be overwritten"
for property in "$@"; do
    [[ $property == [a-z]*=* ]] || die "$property is not PROPERTY=VALUE"
done

find_plugin
find_models

# Nothing is shown, so nothing is drawn: without the overlay at its end.
play filesrc "location=$video" ! decodebin ! "${upright[@]}" ! "${analyse[@]::${#analyse[@]}-2}" \
    ! livenessmetaconvert output=buffers "source=$video" "$@" ! filesink "location=$out"
