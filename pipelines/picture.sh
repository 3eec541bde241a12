#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# A photograph, judged and written to a new file: pipelines/picture.sh IN OUT
#
#   filesrc ! jpegparse ! jpegdec ! videoconvert ! videoflip ! imagefreeze ! facedetect ! livenessclassify ! livenessoverlay ! multifilesink
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# == 2)) || usage 'pipelines/picture.sh IN.jpg OUT.png      (both may be .jpg or .png)'
[[ -r $1 ]] || die "cannot read $1"
[[ ! $1 -ef $2 ]] || die "$2 is the picture itself: choose another name, it would be overwritten"
case ${2,,} in
    *.png) encode=(pngenc) ;;
    *.jpg | *.jpeg) encode=(jpegenc quality=92) ;;
    *) die "cannot write $2: its name must end in .png or .jpg" ;;
esac

find_plugin
find_models

# A face that nobody follows is judged by its one frame; of one that is, more would be wanted. multifilesink, as it writes a whole
# file at once.
find_picture "$1" 1
play "${picture[@]}" ! "${analyse[0]}" tracking=false "${analyse[@]:1}" ! videoconvert ! "${encode[@]}" ! multifilesink "location=$2"
