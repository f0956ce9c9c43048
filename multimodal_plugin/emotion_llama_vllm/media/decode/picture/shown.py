"""Determines which pictures of a video track a player shows, and when."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from av import Packet

from emotion_llama_vllm.media.decode.picture.decoding import Flaw, Picture


@dataclass(frozen=True)
class Shown:
    """Holds the shown pictures of a track in order; times are in units of its time base."""

    times: Sequence[int]
    """The start of each picture; the values never decrease."""
    end: int
    """The end of the last picture."""
    usable: Sequence[int]
    """The indices of the pictures that may be used as frames."""
    grey: int
    """The number of pictures at the beginning that lack their references."""
    is_predicted: bool
    """True if this comes from the packets, before the pictures were decoded."""

    def nearest_usable(self, index: int) -> int:
        """Return the last usable picture up to this one, or the first one after it.

        It is the picture that a player keeps on the screen if it drops the others.
        """
        place = bisect_right(self.usable, index)
        return self.usable[max(place - 1, 0)]


def observe(pictures: Iterable[Picture]) -> Shown:
    """Return the shown pictures; damaged ones are usable only if there are no others."""
    times: list[int] = []
    flaws: list[Flaw] = []
    end = 0
    for picture in pictures:
        times.append(max(picture.start, times[-1]) if times else picture.start)
        flaws.append(picture.flaw)
        end = max(picture.end, times[-1])
    best = min(flaws, default=Flaw.NO_REFERENCES)
    usable = [index for index, flaw in enumerate(flaws) if flaw == best < Flaw.NO_REFERENCES]
    grey = flaws.count(Flaw.NO_REFERENCES)
    return Shown(times, end, usable, grey, is_predicted=False)


def predict(packets: Sequence[Packet], codec: str, first: Picture) -> Shown | None:
    """Predict the shown pictures from the packets and the first decoded picture, or return None.

    None means that the packets do not hold enough information.
    """
    shown = [packet for packet in packets if _is_shown(packet, codec)]
    by_time = {packet.pts: packet for packet in shown if packet.pts is not None}
    # If the first picture has a flaw, or a time of its own, the other pictures may have one too.
    if len(by_time) < len(shown) or first.start not in by_time or first.flaw:
        return None
    # Earlier pictures had no references, so the decoder dropped them.
    times = sorted(time for time in by_time if time >= first.start)
    previous = times[-2] if len(times) > 1 else times[-1]
    end = times[-1] + (by_time[times[-1]].duration or times[-1] - previous)
    return Shown(times, end, range(len(times)), grey=0, is_predicted=True)


def _is_shown(packet: Packet, codec: str) -> bool:
    """Return whether a packet holds a picture that is shown, and not only a reference."""
    if packet.is_discard:
        return False
    if codec == "vp8":
        return bool(memoryview(packet)[0] & 0x10)
    if codec == "vp9":
        data = memoryview(packet)
        is_superframe = data[-1] & 0xE0 == 0xC0  # the last of its frames is shown
        header = data[0] << (data[0] & 0x30 == 0x30)  # profile 3 has one more bit before the flags
        shows_earlier, shows_this = header & 0x08, header & 0x02
        return bool(is_superframe or shows_earlier or shows_this)
    return True
