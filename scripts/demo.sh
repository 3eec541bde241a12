#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The main job, from one command: finds and judges the faces in a film and writes it anew with the verdicts drawn in. demo.sh [SOURCE]
#
# SOURCE: a video, a picture, a camera (/dev/video0) or an address (http, https, rtsp, file); without one, the clip that
# scripts/setup.sh has made: a person on the left, the same person on a telephone on the right.
#
# Variables: DURATION  seconds to record from a camera or a network address (default: 10)
#            OUT_DIR   the folder to write to (default: demo/)
#            MODEL     a liveness model in place of the one that ships, see pipelines/common.sh
set -euo pipefail
cd_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=pipelines/common.sh
. pipelines/common.sh
# The plugin that was just built, even where another one is installed.
# shellcheck source=scripts/env.sh
. scripts/env.sh

source=${1:-}
out=${OUT_DIR:-$root/demo}
seconds=${DURATION:-10}
[[ $out == /* ]] || out=$cd_from/$out
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "DURATION=$seconds is not a number of seconds"

# What an earlier run left is taken away below: it must not be what this one looks at.
given=${source#file://}
[[ -z $given || $given == /* ]] || given=$cd_from/$given
for old in "$out"/annotated.{mp4,mkv,png}; do
    [[ ! $given -ef $old ]] || die "$source is where the demo writes to: set OUT_DIR to another folder, it would be overwritten"
done

plugin=$root/target/gst-plugin/libgstliveness.so
[[ -e $plugin ]] || die 'the plugin is not built: run make demo, or cargo build --release -p gst-plugin-liveness'
find_models post-messages=on-face
find_encoder

# A picture or a clip ends by itself; what is live is stopped after DURATION seconds.
live=0 turn=("${upright[@]}")
case $source in
    '')
        film=$(find .setup/clips -maxdepth 1 -name 'demo.*' -print -quit 2>/dev/null || true)
        [[ -n $film ]] || die 'the demo clip is missing: run scripts/setup.sh --assets'
        input=(filesrc "location=$root/$film" ! decodebin)
        ;;
    /dev/video*)
        [[ -r $source ]] || die "no camera at $source (or no right to use it: add yourself to the group video)"
        input=(v4l2src "device=$source" ! decodebin ! "${newest[@]}")
        live=1
        ;;
    rtsp://* | rtsps://* | rtspt://*)
        input=(rtspsrc name=camera "location=$source" latency=200 camera. ! 'application/x-rtp,media=(string)video' ! decodebin
            ! "${newest[@]}")
        live=1
        ;;
    http://* | https://*)
        # A camera's JPEG pictures carry no times of their own: each gets the one of its arrival.
        input=(souphttpsrc "location=$source" is-live=true do-timestamp=true ! decodebin)
        live=1
        ;;
    *://*)
        input=(uridecodebin "uri=$source")
        [[ $source == file://* ]] || live=1
        ;;
    *)
        [[ $source == /* ]] || source=$cd_from/$source
        [[ -r $source && -f $source ]] || die "cannot read $source"
        input=(filesrc "location=$source" ! decodebin)
        case ${source,,} in
            # Shown for two seconds, so that a film comes out.
            *.jpg | *.jpeg | *.png | *.bmp | *.webp)
                find_picture "$source" 50
                input=("${picture[@]}")
                turn=(videoconvert)
                ;;
        esac
        ;;
esac

mkdir -p "$out"
film=$out/annotated.mkv
muxer=(matroskamux)
if [[ ${encoder[0]} != vp8enc ]]; then
    film=$out/annotated.mp4
    muxer=(mp4mux)
fi
still=$out/annotated.png
messages=$out/messages.txt
rm -f "$out"/annotated.{mp4,mkv,png} "$messages"

# A source that is live is stopped the way Ctrl-C stops it; -e then ends the file properly, and that is no failure.
run=(gst-launch-1.0 -e -m)
if ((live)); then run=(timeout --preserve-status --signal=INT --kill-after=20 "$seconds" "${run[@]}"); fi

printf 'demo: %s\n' "${source:-the clip of scripts/setup.sh}"
begin=$SECONDS
status=0
"${run[@]}" --gst-plugin-load="$plugin" "${input[@]}" ! "${turn[@]}" ! "${analyse[@]}" \
    ! videoconvert ! 'video/x-raw,format=(string)I420' ! "${encoder[@]}" ! "${muxer[@]}" ! filesink "location=$film" \
    >"$out/launch.log" || status=$?
grep -F '(element)' "$out/launch.log" >"$messages" || true
if ((status != 0)) || [[ ! -s $film ]]; then
    die "the pipeline failed (its own words stand above; all of them are in $out/launch.log)"
fi

# A still from the middle: two pictures a second, of which one stays. (A film from a live source may not know its length, so there
# is nothing to seek by.)
stills=$(mktemp -d "$out/.stills.XXXXXX")
trap 'rm -rf "$stills"' EXIT
gst-launch-1.0 -q filesrc "location=$film" ! decodebin ! videorate drop-only=true max-rate=2 ! videoconvert ! pngenc compression-level=1 \
    ! multifilesink "location=$stills/%05d.png" || die "GStreamer cannot read the film it has just written, $film"
mapfile -t pictures < <(find "$stills" -name '*.png' | sort)
((${#pictures[@]})) || die "there is not one frame in $film: did the source send any?"
mv "${pictures[${#pictures[@]} / 2]}" "$still"

printf 'demo: film   %s (made in %d s)\n' "$film" "$((SECONDS - begin))"
printf 'demo: still  %s\n' "$still"

# The faces lie inside the message's text as structures of their own, with a backslash before every special character.
verdicts=$(sed 's/\\//g' "$messages" | grep -oE 'label=\(string\)[a-z]+' | sed 's/.*)//' | sort | uniq -c \
    | awk '{ printf "%s%s %d", (NR > 1 ? ", " : ""), $2, $1 }' || true)
printf 'demo: faces  %s (frames with that verdict; all of them in %s)\n' "${verdicts:-none found}" "$messages"
