#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# What every pipeline here shares: where the plugin and the models are, and where the picture goes. Sourced, never run.
#
# Variables that a caller may set:
#   DETECTOR   an ONNX face detector (default: the one inside the plugin)
#   MODEL      an ONNX liveness model, or several separated by commas, which are fused (default: the one inside the plugin)
#   SINK       what shows the frames, as gst-launch writes it, e.g. SINK=fakesink (default: a window)
#   OUT        a file.mkv to write the frames to, instead of showing them

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# usage: usage TEXT; ends the script
usage() {
    printf 'usage: %s\n\n%s\n' "$1" 'Environment: MODEL (a liveness model), DETECTOR (a face detector), SINK (e.g. SINK=fakesink), OUT (a file.mkv to write to).' >&2
    exit 2
}

# Not with --exists: without a version that asks for a plugin as new as GStreamer itself, and ours counts its own versions.
has_element() { gst-inspect-1.0 "$1" >/dev/null 2>&1; }

# usage: find_plugin; an installed plugin is taken as it is, otherwise the one that was built here.
# The name livenessfacedetect is ours alone: OpenCV's plugin has a facedetect, too, and one of them hides the other.
find_plugin() {
    command -v gst-launch-1.0 >/dev/null || die 'GStreamer is missing: run scripts/setup.sh --packages'
    if has_element livenessfacedetect; then return; fi
    # shellcheck source=scripts/env.sh
    . "$root/scripts/env.sh"
    has_element livenessfacedetect \
        || die 'the plugin was not found: build it (cargo build --release -p gst-plugin-liveness) or install it (make install)'
}

# usage: find_detector; sets `detect`, the element that finds faces: with the shipped model, or the one that DETECTOR names
find_detector() {
    detect=(livenessfacedetect)
    if [[ -n ${DETECTOR:-} ]]; then
        [[ -r $DETECTOR ]] || die "cannot read the face detector DETECTOR=$DETECTOR"
        detect+=("model=$DETECTOR")
    fi
}

# usage: find_models [PROPERTY=VALUE]...; sets `analyse`, the part of every pipeline that does the work; the properties are for the classifier
# shellcheck disable=SC2120 # most pipelines need none
find_models() {
    local file files=()
    find_detector
    analyse=("${detect[@]}" ! livenessclassify)
    if [[ -n ${MODEL:-} ]]; then
        # As the element reads it: a file whose own name has a comma in it is one file.
        if [[ -f $MODEL ]]; then files=("$MODEL"); else IFS=, read -ra files <<<"$MODEL"; fi
        for file in "${files[@]}"; do
            [[ -r $file ]] || die "cannot read the liveness model $file, which MODEL names"
        done
        analyse+=("model=$MODEL")
    fi
    # shellcheck disable=SC2034 # for the script that sources this one
    analyse+=("$@" ! livenessoverlay)
}

# H.264 with half as many colours as pixels cannot have odd sides: such frames lose a line. Others pass as they are.
readonly even=(videoscale ! 'video/x-raw,width=(int)[2,16384,2],height=(int)[2,16384,2]')

# usage: find_encoder; sets `encoder`, the best video encoder there is, for any muxer
find_encoder() {
    if has_element x264enc; then
        encoder=("${even[@]}" ! x264enc speed-preset=veryfast tune=zerolatency quantizer=20 pass=quant key-int-max=50 ! h264parse)
    elif has_element openh264enc; then
        encoder=("${even[@]}" ! openh264enc bitrate=6000000 gop-size=50 ! h264parse)
    elif has_element vp8enc; then
        encoder=(vp8enc target-bitrate=6000000 deadline=1 cpu-used=8 keyframe-max-dist=50)
    else
        die 'no video encoder: install gstreamer1.0-plugins-ugly (x264enc)'
    fi
}

# usage: find_sink DEFAULT...; sets `sink`, everything after the overlay
# shellcheck disable=SC2034 # for the script that sources this one
find_sink() {
    local chosen
    if [[ -n ${OUT:-} ]]; then
        find_encoder
        sink=(videoconvert ! 'video/x-raw,format=(string)I420' ! "${encoder[@]}" ! matroskamux ! filesink "location=$OUT")
    elif [[ -n ${SINK:-} ]]; then
        read -ra chosen <<<"$SINK"
        sink=(videoconvert ! "${chosen[@]}")
    else
        sink=(videoconvert ! "$@")
    fi
}

# A live source waits for nobody: what could not be looked at in time is thrown away, so that the newest frame is always the next one.
# shellcheck disable=SC2034 # for the script that sources this one
readonly newest=(queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0)

# Telephones write films and photographs sideways with a note how to turn them. The detector must see faces upright, so this comes
# before it, and only once in a pipeline.
readonly upright=(videoconvert ! videoflip video-direction=auto)

# usage: find_picture FILE FRAMES; sets `picture`, which shows a photograph upright for so many frames, 25 a second
# shellcheck disable=SC2034 # for the script that sources this one
find_picture() {
    local decoder=(decodebin)
    # Only jpegparse reads the note, and decodebin does without jpegparse. The first two bytes tell a JPEG, whatever its name.
    if [[ $(head -c2 "$1" | od -An -tx1 | tr -d ' ') == ffd8 ]]; then decoder=(jpegparse ! jpegdec); fi
    picture=(filesrc "location=$1" ! "${decoder[@]}" ! "${upright[@]}" ! imagefreeze "num-buffers=$2"
        ! 'video/x-raw,framerate=(fraction)25/1')
}

# usage: play ELEMENT...; runs the pipeline in place of the script. -e: Ctrl-C ends a file properly.
play() { exec gst-launch-1.0 -e "$@"; }
