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

scripts/setup.sh --packages --runtime --assets --tests
# Where cargo puts what tests leave to look at.
left=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/tmp

# usage: still FILM FRAME PICTURE.jpg; one frame of a film, small enough for a page
still() {
    gst-launch-1.0 -q filesrc location="$1" ! decodebin ! videoconvert ! videoscale ! 'video/x-raw,format=I420,width=(int)640,height=(int)360' \
        ! jpegenc quality=85 ! multifilesink location="$work/%05d.jpg"
    put "$work/$(printf '%05d' "$2").jpg" "$3"
    rm -f "$work"/*.jpg
}

# usage: small PICTURE WIDTH PICTURE.jpg
small() {
    gst-launch-1.0 -q filesrc location="$1" ! decodebin ! videoconvert ! videoscale ! "video/x-raw,format=I420,width=(int)$2,pixel-aspect-ratio=1/1" \
        ! jpegenc quality=85 ! filesink location="$work/small.jpg"
    put "$work/small.jpg" "$3"
}

put() {
    mv "$1" "$2"
    printf 'picture: %s\n' "$2"
}

run() { scripts/env.sh cargo run --quiet -p "$@"; }

run liveness-watch -- --headless --quiet --file .setup/clips/demo.mp4 --record "$work/watch.mkv"
still "$work/watch.mkv" 60 docs/watch.jpg

run liveness-picture -- --annotate "$work" .setup/pictures/astronaut.png
small "$work/astronaut.png" 360 docs/picture.jpg

# The page in a real browser, whose camera plays the film: driven by a test.
scripts/env.sh cargo test --quiet -p liveness-web --test chromium by_the_models_that_ship
small "$left/web/readme.png" 1100 docs/web.jpg

# Beside a telephone nobody is granted, unless that is allowed.
printf '[policy]\nalone = false\n' >"$work/guard.toml"
run liveness-guard -- --headless --quiet --config "$work/guard.toml" --file .setup/clips/demo.mp4 \
    --record "$work/guard.mkv" >/dev/null
still "$work/guard.mkv" 60 docs/guard.jpg
