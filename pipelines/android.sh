#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# A telephone as a camera, with an app that serves its picture in the network: pipelines/android.sh ADDRESS
#
#   souphttpsrc ! multipartdemux ! jpegdec ! queue leaky ! videoconvert ! facedetect ! livenessclassify ! livenessoverlay ! sink
#
# The app "IP Webcam" serves JPEG over HTTP and H.264 over RTSP; the address decides which is taken.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# == 1)) || usage 'pipelines/android.sh ADDRESS
  http://PHONE:8080/video             JPEG pictures: heavier on the network, next to no delay
  rtsp://PHONE:8080/h264_ulaw.sdp     H.264: light on the network'

case $1 in
    http://* | https://*) ;;
    rtsp://* | rtsps://* | rtspt://*) exec "$root/pipelines/rtsp.sh" "$1" ;;
    *) die "$1 is neither an http:// nor an rtsp:// address" ;;
esac

find_plugin
find_models
find_sink autovideosink sync=false

# The pictures carry no times of their own: each gets the one of its arrival. single-stream: without it the demuxer waits for others.
play souphttpsrc "location=$1" is-live=true do-timestamp=true keep-alive=true ! multipartdemux single-stream=true ! image/jpeg \
    ! jpegdec ! "${newest[@]}" ! videoconvert ! "${analyse[@]}" ! "${sink[@]}"
