"""Runs commands as a user that the machine does not know: no home, no name, no writable folder."""

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from devtools.paths import CHECKOUT

USER = 12_345
"""The identifier of a user without an entry in /etc/passwd, as in OpenShift's containers."""

_JAIL = """
set -e
mount --make-rprivate /
# Python and the checkout may be in root's home, which nobody else may enter, or in /tmp.
mount -t tmpfs none /mnt; number=0
for place in $PLACES; do
    mkdir /mnt/$number; mount --bind $place /mnt/$number; number=$((number+1))
done
mount -t tmpfs -o mode=755 none /root
mount -t tmpfs -o mode=1777 none /tmp; number=0
for place in $PLACES; do
    mkdir -p $place 2>/dev/null || true
    mount --bind /mnt/$number $place; mount -o remount,bind,ro $place; number=$((number+1))
done
mount -o remount,ro /root
mount -o remount,bind,ro /
# A file system without an inode left is full for everybody.
[ $TMP != full ] || TMP=nr_inodes=$(df --output=iused /tmp | tail -n 1 | tr -d ' ')
mount -o remount,$TMP /tmp
umask 077
exec setpriv --reuid $USER_ID --regid $USER_ID --clear-groups --no-new-privs "$@"
"""


@cache
def can_be_anybody() -> bool:
    """Return whether these tests may become another user on a read-only machine."""
    command = ["unshare", "-m", "mount", "--make-rprivate", "/"]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


def as_stranger(
    command: Sequence[str], *, tmp: str = "size=512m"
) -> tuple[list[str], dict[str, str]]:
    """Return a command that runs another one as an unknown user, and its environment.

    If the tests may not become one, they keep their user and only have no home.

    Args:
        command: the command to run.
        tmp: "full", or the mount options of /tmp; no other folder on a disk is writable.
    """
    places = dict.fromkeys([sys.base_prefix, sys.prefix, str(CHECKOUT)])
    paths = [str(CHECKOUT / folder) for folder in ("multimodal_plugin", "server", "clients/python")]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join([*paths, str(CHECKOUT)])}
    if not can_be_anybody():
        return list(command), environment | {"HOME": "/nonexistent"}
    environment |= {"PLACES": " ".join(places), "TMP": tmp, "USER_ID": str(USER)}
    return ["unshare", "-m", "bash", "-c", _JAIL, "jail", *command], environment
