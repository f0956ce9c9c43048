"""All that is sent to a server, in its order."""

from itertools import islice

from tests.fuzz.bodies import body_shots
from tests.fuzz.clips import clip_shots, intact_shots
from tests.fuzz.document import document_shots
from tests.fuzz.gallery import Gallery
from tests.fuzz.places import lay_out, place_shots


def shoot(gallery: Gallery, seed: int, clips: int, requests: int, *, bodies: int = 1) -> None:
    """Send so many mutated clips, so many requests of other kinds, then every intact clip.

    Before the last come bodies that cost more than their bytes, one by one: how long the server's
    event loop stands still is measured for each. If `bodies` is 3, only every third is sent, and
    none of tens of megabytes.

    Raises:
        ServerDied: it is not healthy any more.
    """
    target = gallery.target
    if target.media_root is not None:
        lay_out(target.media_root)
    gallery.send(clip_shots(target, seed, clips))
    before = gallery.sent
    gallery.send(document_shots(target, seed, requests // 2))
    gallery.send(place_shots(target, seed, requests - (gallery.sent - before)))
    costly = islice(body_shots(target, largest=bodies == 1), 0, None, bodies)
    gallery.send(costly, between_checks=1)
    gallery.send(intact_shots(target))
