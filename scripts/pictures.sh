#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Takes the pictures of the programs that README shows, from the running programs: pictures.sh
#
# Nobody is in them but the astronaut, whose picture scripts/setup.sh fetches.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT

# usage: still FILM FRAME PICTURE.jpg; one frame of a film, small enough for a page
still() {
    gst-launch-1.0 -q filesrc location="$1" ! decodebin ! videoconvert ! videoscale ! 'video/x-raw,width=(int)640,height=(int)360' \
        ! jpegenc quality=85 ! multifilesink location="$work/%05d.jpg"
    mv "$work/$(printf '%05d' "$2").jpg" "$3"
    rm -f "$work"/*.jpg
    printf 'picture: %s\n' "$3"
}

scripts/env.sh cargo run --quiet -p liveness-watch -- --headless --quiet --file .setup/clips/demo.mp4 --record "$work/watch.mkv"
still "$work/watch.mkv" 60 docs/watch.jpg
