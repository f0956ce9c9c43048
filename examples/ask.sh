#!/usr/bin/env bash
# Asks each route about a clip with curl: bash examples/ask.sh [CLIP]
set -euo pipefail

server=http://127.0.0.1:7889
clip=${1:-demo/clips/happy_face.mp4}

echo "The label and the probability of each, of an upload:"
curl -sS --fail-with-body "$server/v1/emotion" -F video=@"$clip" -F 'request={"task": "emotion"}'

echo; echo "A timeline as subtitles:"
curl -sS --fail-with-body "$server/v1/emotion" -H 'Accept: text/vtt' -F video=@"$clip" \
  -F 'request={"task": "emotion", "timeline": {"window": 1, "step": 1}}'

echo; echo "The parts of an answer as they are found:"
curl -sSN --fail-with-body "$server/v1/emotion" -F video=@"$clip" \
  -F 'request={"task": "reason", "stream": true}'

echo; echo "As the original is asked, with the clip as base64 in the body, read from a file:"
printf '{"data": ["%s", "[emotion] Which emotion is this?"]}' "$(base64 < "$clip" | tr -d '\n')" |
  curl -sS --fail-with-body "$server/api/predict/" -H 'Content-Type: application/json' --data-binary @-
