#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Renders the moving clips that the demo and the tests play, out of still pictures: clips.sh PICTURES CLIPS
#
# There is no public clip of a face in front of a camera and of the same face held up on a screen that is small, free to use and
# to be had from a package registry. So one is made: awk writes every frame as an SVG picture (any movement is one `transform`),
# and GStreamer's own SVG decoder and H.264 encoder turn the frames into a film. Nothing but GStreamer is needed.
set -euo pipefail

readonly FPS=25 WIDTH=960 HEIGHT=540

die() {
    printf 'clips.sh: %s\n' "$*" >&2
    exit 1
}

if (($# != 2)); then
    die 'usage: clips.sh PICTURES CLIPS (the folder with astronaut.png … and the folder to write to)'
fi
readonly pictures=$1 clips=$2

has_element() { gst-inspect-1.0 --exists "$1"; }

# The frames are large text files, so they live beside the clips and go away with the script, whatever ends it.
mkdir -p "$clips"
work=$(mktemp -d "$clips/.work.XXXXXX")
readonly work
trap 'rm -rf "$work"' EXIT

# An SVG picture may only use images that are inside it, so each picture becomes a text that awk can paste into a frame. JPEG, since
# the decoder unpacks it once per frame and a PNG of the same picture takes it three times as long.
# usage: embed NAME FILE
embed() {
    local name=$1 file=$2
    [[ -r $file ]] || die "the picture $file is missing: run scripts/setup.sh, which fetches it"
    gst-launch-1.0 -q filesrc location="$file" ! decodebin ! videoconvert ! 'video/x-raw,format=(string)I420' \
        ! jpegenc quality=95 ! filesink location="$work/$name.jpg" \
        || die "GStreamer could not read $file: delete it and run scripts/setup.sh again"
    base64 -w0 "$work/$name.jpg" >"$work/$name.b64"
}

# The scenes. Every one is a function of the time t in seconds that returns SVG; the picture "face" is 512x512, its face about 75 wide
# and 115 high around (228, 125).
# The single quotes are meant: this is awk's text.
# shellcheck disable=SC2016
readonly SCENES='
    function picture(name) { return "data:image/jpeg;base64," data[name] }
    function image(name, x, y, w, h, more) {
        return "<image preserveAspectRatio=\"xMidYMid slice\" x=\"" x "\" y=\"" y "\" width=\"" w "\" height=\"" h "\" " more \
            " xlink:href=\"" picture(name) "\"/>"
    }
    function wave(t, period, phase) { return sin(2 * PI * (t / period + phase)) }

    # A person before a camera that is held by hand: the view drifts, comes nearer and goes away, and the light changes.
    # Fills the rectangle from (0, 0) to (w, h); `scale` is how large the person is.
    function live(t, w, h, scale,    zoom, dx, dy, light) {
        # Never less than `scale`: the picture must reach over the edges of the view, wherever it drifts.
        zoom = scale * (1.06 + 0.06 * wave(t, 5.3, 0))
        dx = 14 * wave(t, 3.1, 0.1) + 5 * wave(t, 1.3, 0)
        dy = 8 * wave(t, 2.3, 0.4) + 3 * wave(t, 0.9, 0.2)
        light = 0.16 * wave(t, 4.1, 0.25)
        return sprintf("<g transform=\"translate(%.3f %.3f) rotate(%.3f) scale(%.4f) translate(-246 -150)\">", \
                w / 2 + dx, 0.48 * h + dy, 1.2 * wave(t, 3.7, 0), zoom) image("face", 0, 0, 512, 512, "") "</g>" \
            sprintf("<rect width=\"%d\" height=\"%d\" fill=\"%s\" opacity=\"%.3f\"/>", w, h, light < 0 ? "#180c00" : "#fff4dc", \
                light < 0 ? -light : 0.6 * light)
    }

    # The same picture on a telephone that a hand holds up: an edge, glass that shines, the bluish light of the screen and the grid of
    # its pixels, which beats against that of the camera.
    function screen(t, x, y, scale) {
        return sprintf("<g transform=\"translate(%.3f %.3f) rotate(%.3f) scale(%.4f)\">", \
                x + 9 * wave(t, 3.3, 0) + 3 * wave(t, 1.1, 0.3), y + 6 * wave(t, 2.7, 0.2) + 2 * wave(t, 0.8, 0), \
                1.5 + 2 * wave(t, 4.3, 0), scale * (1 + 0.03 * wave(t, 3.9, 0.5))) \
            "<rect x=\"-121\" y=\"-229\" width=\"254\" height=\"466\" rx=\"30\" opacity=\"0.35\"/>" \
            "<rect x=\"-127\" y=\"-233\" width=\"254\" height=\"466\" rx=\"30\" fill=\"#0b0c0f\" stroke=\"#4a4e57\" stroke-width=\"3\"/>" \
            "<g clip-path=\"url(#glass)\">" \
            "<g transform=\"translate(0 -207) scale(0.95) translate(-228 0)\">" image("face", 0, 0, 512, 512, "") "</g>" \
            "<rect x=\"-115\" y=\"-205\" width=\"230\" height=\"410\" fill=\"#3f7dff\" opacity=\"0.13\"/>" \
            "<rect x=\"-115\" y=\"-205\" width=\"230\" height=\"410\" fill=\"url(#pixels)\"/>" \
            "<path d=\"M-115 60 L-115 205 L40 205 Z\" fill=\"#ffffff\" opacity=\"0.16\"/>" \
            "</g>" \
            "<rect x=\"-28\" y=\"-222\" width=\"56\" height=\"7\" rx=\"3.5\" fill=\"#23262c\"/></g>"
    }
    function room(t, w, h) {
        return sprintf("<g transform=\"translate(%.3f %.3f)\">", 4 * wave(t, 4.7, 0), 3 * wave(t, 3.7, 0.3)) \
            image("room", -12, -12, w + 24, h + 24, "") "</g>"
    }
    function cut(id, x, w) { return "<clipPath id=\"" id "\"><rect x=\"" x "\" width=\"" w "\" height=\"" H "\"/></clipPath>" }

    function frame(clip, t) {
        if (clip == "live") return live(t, W, H, 2.06)
        if (clip == "screen") return room(t, W, H) screen(t, W / 2, H / 2, 1.1)
        if (clip == "noface") return room(1.5 * t, W, H)
        # demo: the person on the left, the telephone on the right.
        return "<defs>" cut("left", 0, W / 2) cut("right", 0, W / 2) "</defs>" \
            "<g clip-path=\"url(#left)\">" live(t, W / 2, H, 1.85) "</g>" \
            "<g transform=\"translate(" W / 2 " 0)\"><g clip-path=\"url(#right)\">" room(t, W / 2, H) screen(t, W / 4, H / 2, 1.06) \
            "</g></g><rect x=\"" W / 2 - 2 "\" width=\"4\" height=\"" H "\" fill=\"#101010\"/>"
    }

    BEGIN {
        PI = atan2(0, -1)
        for (i = 1; i < ARGC; i++) { name = ARGV[i]; getline data[name] < (dir "/" name ".b64") }
        for (i = 0; i < frames; i++) {
            file = sprintf("%s/%s-%04d.svg", dir, clip, i)
            printf "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%d\" height=\"%d\"><defs>" \
                "<clipPath id=\"glass\"><rect x=\"-115\" y=\"-205\" width=\"230\" height=\"410\" rx=\"12\"/></clipPath>" \
                "<pattern id=\"pixels\" width=\"2.1\" height=\"2.1\" patternUnits=\"userSpaceOnUse\">" \
                "<path d=\"M0 0H2.1M0 0V2.1\" stroke=\"#000010\" stroke-width=\"0.9\" opacity=\"0.35\"/></pattern></defs>%s</svg>\n", \
                W, H, frame(clip, i / FPS) > file
            close(file)
        }
        exit
    }'

# usage: render CLIP SECONDS
render() {
    local clip=$1 frames=$(($2 * FPS)) file="$clips/$1.$suffix"
    if [[ -s $file ]]; then
        printf 'clip %s: already there\n' "$file"
        return
    fi
    awk -v dir="$work" -v clip="$clip" -v frames="$frames" -v FPS="$FPS" -v W="$WIDTH" -v H="$HEIGHT" "$SCENES" face room
    # shellcheck disable=SC2086 # the encoder is several words
    gst-launch-1.0 -q multifilesrc location="$work/$clip-%04d.svg" stop-index=$((frames - 1)) \
        caps="image/svg+xml,framerate=(fraction)$FPS/1" ! rsvgdec ! queue ! videoconvert ! 'video/x-raw,format=(string)I420' \
        ! $encoder ! filesink location="$work/$clip.$suffix" \
        || die "GStreamer could not render $clip: is gstreamer1.0-plugins-bad whole? scripts/setup.sh installs it"
    [[ -s $work/$clip.$suffix ]] || die "GStreamer wrote no $clip.$suffix"
    mv "$work/$clip.$suffix" "$file"
    rm -f "$work/$clip"-*.svg
    printf 'clip %s: rendered (%d frames)\n' "$file" "$frames"
}

# Each clip keeps one core busy for several seconds, so all are rendered at the same time.
# usage: render_all CLIP SECONDS [CLIP SECONDS]...
render_all() {
    local jobs=() job failed=0
    while (($#)); do
        render "$1" "$2" &
        jobs+=($!)
        shift 2
    done
    for job in "${jobs[@]}"; do wait "$job" || failed=1; done
    ((failed == 0)) || die 'not all clips could be rendered: the reason stands above'
}

if has_element x264enc; then
    suffix=mp4 encoder='x264enc speed-preset=veryfast quantizer=20 pass=quant key-int-max=50 ! video/x-h264,profile=high ! mp4mux'
elif has_element openh264enc; then
    suffix=mp4 encoder='openh264enc bitrate=6000000 gop-size=50 ! h264parse ! mp4mux'
elif has_element vp8enc; then
    suffix=webm encoder='vp8enc target-bitrate=6000000 deadline=1 cpu-used=4 keyframe-max-dist=50 ! webmmux'
else
    die 'no video encoder: install gstreamer1.0-plugins-ugly (x264enc)'
fi
readonly suffix encoder

# usage: all_there CLIP...
all_there() {
    local clip
    for clip in "$@"; do [[ -s $clips/$clip.$suffix ]] || return 1; done
}

# Clips that another version of this script has made are not these clips.
version=$(cksum <"${BASH_SOURCE[0]}")
if [[ $(cat "$clips/.version" 2>/dev/null) != "$version" ]]; then
    rm -f "$clips"/{live,screen,demo,noface}.{mp4,webm}
    printf '%s\n' "$version" >"$clips/.version"
fi
if all_there live screen demo noface; then
    printf 'clips: already in %s\n' "$clips"
    exit
fi
embed face "$pictures/astronaut.png"
embed room "$pictures/coffee.png"
render_all live 5 screen 5 demo 7 noface 3
