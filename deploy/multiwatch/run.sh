#!/usr/bin/env bash
# Banter's workers under spawn-fcgi and multiwatch, in the foreground: for a supervisor that is not systemd (runit,
# daemontools, s6, a terminal). spawn-fcgi binds the socket, multiwatch replaces a worker that ends.
#
#   run.sh [--config FILE]     given on to banter.fcgi
#
# From the environment: BANTER_LISTEN (unix:PATH), BANTER_SOCKET_MODE, BANTER_BACKLOG, BANTER_WORKERS, as in the
# table of settings; BANTER_PROGRAM, where banter.fcgi lies.
set -u
export PATH=$PATH:/usr/sbin

listen=${BANTER_LISTEN:-unix:/run/banter/banter.sock}
program=${BANTER_PROGRAM:-/usr/lib/banter/banter.fcgi}
workers=${BANTER_WORKERS:-16}
workers=${workers##*:} # multiwatch keeps a fixed number
unset BANTER_PROGRAM BANTER_WORKERS # no settings of the one worker's
[ "$listen" != "${listen#unix:}" ] || {
	echo "run.sh: BANTER_LISTEN=$listen: must be unix:PATH" >&2
	exit 2
}
# TERM lets a running exchange end: multiwatch would send USR1. Should it be killed, the kernel tells the workers.
exec spawn-fcgi -n -s "${listen#unix:}" -M "${BANTER_SOCKET_MODE:-0660}" -b "${BANTER_BACKLOG:-1024}" -- \
	/usr/bin/multiwatch -f "${workers##*:}" -s TERM -- \
	/usr/bin/setpriv --pdeathsig TERM -- "$program" "$@"
