"""A throw-away copy of this machine with systemd booted in it, for what changes a machine: packages, services, pages.

It sees this machine's files through an overlay and writes into memory; it has its own processes, network, host name and
control group, so that nothing of it reaches outside, and nothing outlives it. It starts as a freshly installed Debian
would be: no web server runs, PostgreSQL has an empty cluster. There is no network but its own loopback.

It rests on root, overlayfs, control groups v2 (mounted for itself) and systemd; not on systemd being this machine's."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))
import fastcgi  # noqa: E402
import servers  # noqa: E402

__all__ = ["ROOT", "Layers", "Sandbox", "needs_root", "until"]

PATIENCE = 600  # seconds for one command or one event; a guard against hanging, never a measure
NOT_TESTED = "no sandbox can be made: "  # begins the reason of every test that is left out for want of one
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason=NOT_TESTED + "that takes root")
fastcgi.PATIENCE = PATIENCE

# What the kernel, or the container this runs in, may refuse, each as a sandbox wants it. $1 an empty folder.
TRY = r"""
mount --make-rprivate / && mount -t tmpfs sandboxes "$1" || exit 77
mkdir "$1/upper" "$1/work" "$1/root" "$1/groups" "$1/proc" || exit 1
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root" &&
    mount -t cgroup2 groups "$1/groups" &&
    unshare --pid --fork --kill-child --net --uts --ipc --cgroup --mount mount -t proc proc "$1/proc" || exit 77
"""

# Holds the memory that sandboxes write to, until its standard input ends.
HOLD = r"""
mount --make-rprivate / && mount -t tmpfs -o mode=755 sandboxes "$1" && echo ready && exec cat
"""

# The outer half: a control group of its own, then the namespaces. $1 the layer's folder, $2 the layers below it, $3 the
# inner half, $4 what to do before.
OUTER = r"""
set -eu
mkdir -p "$1/upper" "$1/work" "$1/root" "$1/groups"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t cgroup2 groups "$1/groups"
group=$1/groups/banter-sandbox-$$
mkdir "$group"
echo $$ >"$group/cgroup.procs"
leave() {
    echo $$ >"$1/groups/cgroup.procs"
    find "$group" -depth -type d -exec rmdir {} +
}
bash -c "$4" fresh "$1/root"
status=0
unshare --pid --fork --kill-child --net --uts --ipc --cgroup --mount --propagation private \
    bash -c "$3" sandbox "$1/root" || status=$?
leave "$1" 2>/dev/null
exit $status
"""

# The inner half: the folders a machine has, then its first process.
INNER = r"""
set -eu
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys
mount --bind proc/sys/net proc/sys/net && mount -o remount,bind,rw proc/sys/net
mount -t sysfs -o ro sys sys
mount -t cgroup2 groups sys/fs/cgroup
for folder in run tmp dev; do mount -t tmpfs -o mode=755 "$folder" "$folder"; done
chmod 1777 tmp
mkdir dev/pts dev/shm
for node in null zero full random urandom tty; do
    : >"dev/$node" && mount --bind "/dev/$node" "dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for n in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${n%:*}" "dev/${n#*:}"; done
hostname sandbox
pivot_root . mnt
umount -l /mnt
mount --make-rshared / # as on a real machine: a service's credentials are a mount that must reach it
drop=-sys_boot,-sys_module,-sys_rawio,-sys_time,-syslog,-wake_alarm,-mac_admin,-mac_override
exec env -i container=sandbox PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set "$drop" /lib/systemd/systemd --show-status=no --log-target=journal
"""

# Before the boot, on the layer: what this machine has that a freshly installed one has not.
FRESH = r"""
set -eu
cd "$1"
rm -rf usr/sbin/policy-rc.d etc/banter etc/default/banter
# What else this machine starts and mounts may wait for a network or a disk, and the boot with it.
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires
: >etc/fstab
ln -sf /lib/systemd/system/multi-user.target etc/systemd/system/default.target
# Getty and friends want a terminal; timers and udev want a real machine.
for unit in console-getty getty@tty1 systemd-timesyncd systemd-udevd systemd-networkd; do
    ln -sf /dev/null "etc/systemd/system/$unit.service"
done
rm -rf etc/postgresql/* var/lib/postgresql/* var/log/postgresql/* var/log/journal
# What the pages install is installed already: apt is to know no newer version.
rm -rf var/lib/apt/lists/*
echo sandbox >etc/hostname
printf '127.0.0.1 localhost sandbox\n::1 localhost\n' >etc/hosts
"""


def until(condition, what):
    return servers.until(condition, what, PATIENCE)


def refusal():
    """Why this machine lets nobody make a sandbox; None where it does. Any other trouble is not for here."""
    folder = tempfile.mkdtemp(prefix="banter-sandbox-", dir="/tmp")
    try:
        # unshare alone first: what it says when it is refused is told apart by nothing else.
        for command in (["true"], ["bash", "-c", TRY, "try", folder]):
            done = subprocess.run(["unshare", "--mount", "--propagation", "private", *command],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode == 77 or (done.returncode and command == ["true"]):
                return done.stdout.strip()
            assert done.returncode == 0, done.stdout
    finally:
        os.rmdir(folder)
    return None


class Layers:
    """The memory of a run's sandboxes. A closed sandbox's layer can be put below another's."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="banter-sandbox-", dir="/tmp"))
        self.count = 0
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", HOLD, "hold", self.folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n", "no memory for sandboxes can be mounted"

    def inside(self):
        """In front of a command: it sees the layers."""
        return ["nsenter", "--target", str(self.holder.pid), "--mount"]

    def new(self):
        self.count += 1
        path = self.folder / str(self.count)
        subprocess.run([*self.inside(), "mkdir", "-p", path / "upper"], check=True)
        return path

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(PATIENCE)
        self.holder.stdout.close()
        self.folder.rmdir()


class Sandbox:
    """One machine, booted. `below` is a closed sandbox whose changes it starts from."""

    def __init__(self, layers, below=None):
        self.layers = layers
        self.path = layers.new()
        self.lower = f"{below.path}/upper:{below.lower}" if below else "/"
        self.process = self.init = None
        self.start(fresh=below is None)

    def start(self, fresh=False):
        self.process = subprocess.Popen(
            [*self.layers.inside(), "unshare", "--mount", "--propagation", "private",
             "bash", "-c", OUTER, "sandbox", self.path, self.lower, INNER, FRESH if fresh else ":"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True)
        try:
            self.init = until(self.find_init, "the sandbox's first process")
            until(self.booted, "the sandbox's boot")
        except BaseException:  # who was to end it never gets it
            self.halt()
            raise

    def find_init(self):
        """The process id of its systemd, seen from outside."""
        assert self.process.poll() is None, f"the sandbox does not start:\n{self.process.stdout.read()}"
        below = [self.process.pid]
        while below:
            pid = below.pop()
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                    return pid
                below += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return None

    def booted(self):
        assert self.process.poll() is None, f"the sandbox ended:\n{self.process.stdout.read()}"
        # As soon as it can be asked it waits by itself: asking again and again would keep the boot from the cores.
        state = self.run("systemctl is-system-running --wait", check=False).stdout.strip()
        return state in ("running", "degraded")

    def run(self, script, check=True, patience=PATIENCE, text_in=None):
        """Runs a script as root would in a terminal of that machine. Its output, both streams together."""
        done = subprocess.run(
            ["nsenter", "--target", str(self.init), "--all", "env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-c", script],
            stdin=None if text_in else subprocess.DEVNULL, input=text_in,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=patience, cwd="/")
        if check:
            assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{done.stdout[-4000:]}"
        return done

    def put(self, path, source, mode=0o644):
        """Copies a file of outside into it."""
        data = source if isinstance(source, bytes) else pathlib.Path(source).read_bytes()
        subprocess.run(
            ["nsenter", "--target", str(self.init), "--all", "install", "-D", "-m", f"{mode:o}", "/dev/stdin", path],
            input=data, check=True, timeout=PATIENCE)

    def journal(self, unit=None):
        """All that was written to it until now: it takes lines in when it has the time, which --sync waits for."""
        unit = f"-u {unit}" if unit else ""
        return self.run(f"journalctl --sync && journalctl --no-pager -o cat {unit}", check=False).stdout

    def halt(self):
        """Ends every process of it at once; what it wrote stays."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            # Without its first process all of it ends; before that there is only what starts it.
            os.kill(self.init or self.process.pid, signal.SIGKILL)
        try:
            self.process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def close(self):
        """Ends it, what it wrote kept for the sandboxes above it."""
        if self.process is not None:
            self.run("systemctl stop postgresql && sync", check=False)  # its cluster is copied as a whole one
        self.halt()
