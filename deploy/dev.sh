#!/usr/bin/env bash
# For developing: one worker under spawn-fcgi behind a private nginx, rebuilt and restarted at every Enter.
#
#   deploy/dev.sh                  until Ctrl-C
#   deploy/dev.sh --valgrind       the worker under valgrind, which reports whenever it ends
#   deploy/dev.sh --gdb [OPTION…]  the worker under gdb, which `run` starts; OPTIONs are gdb's
#
# Database and model are those of `make run` in another terminal, or what BANTER_… in the environment says.
# PORT (8081) is nginx's. B and CFLAGS are make's: B=build/debug CFLAGS='-O0 -g3' deploy/dev.sh --gdb
# The exit code is the worker's; valgrind's is 9 if it found something.
set -u
export LC_ALL=C PATH=$PATH:/usr/sbin

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P) || exit 1
cd "$root" || exit 1
port=${PORT:-8081}
program=$root/${B:-build}/banter.fcgi
folder='' worker='' nginx=''

die() {
	printf 'dev.sh: %s\n' "$*" >&2
	exit 1
}

build() {
	make --no-print-directory -s all
}

# What `make run` wrote for scripts, unless the environment says where the database is.
settings() {
	if [ -z "${BANTER_DATABASE_URL:-}${BANTER_DATABASE_URL_FILE:-}" ]; then
		[ -r build/run/env ] || die "start 'make run' in another terminal first, or set BANTER_DATABASE_URL"
		set -a
		# shellcheck source=/dev/null
		. build/run/env
		set +a
	fi
	folder=$(mktemp -d /tmp/banter-dev.XXXXXX) || die "cannot make a folder in /tmp"
	socket=$folder/socket
	# Not those of a pool that runs beside it.
	export BANTER_SHARED_FILE=$folder/shared
}

web() {
	local user='' text
	! (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null || die "port $port is taken: PORT=$((port + 1)) deploy/dev.sh"
	[ "$(id -u)" != 0 ] || user='user root;'
	text=$(sed '/^[[:space:]]*#/d' deploy/nginx/banter.conf)
	text=${text//@FOLDER@/"$folder"}
	text=${text//@HERE@/"$root/deploy/nginx"}
	text=${text//@PORT@/"$port"}
	text=${text//@SOCKET@/"$socket"}
	text=${text//@USER@/"$user"}
	printf '%s\n' "$text" >"$folder/nginx.conf"
	nginx -e "$folder/error.log" -c "$folder/nginx.conf" </dev/null &
	nginx=$!
	echo "a web server of your own: fastcgi_pass unix:$socket;"
	echo "curl --no-buffer http://127.0.0.1:$port/v1/chat/stream -H 'x-api-key: ${BANTER_WIDGET_KEY:-KEY}'" \
		"-d '{\"sessionId\":\"me\",\"message\":\"Hello\"}'"
}

# start [TOOL…]: spawn-fcgi binds, and becomes the worker with the socket as its standard input.
start() {
	spawn-fcgi -n -s "$socket" -- "$@" "$program" </dev/null &
	worker=$!
}

# The running exchange ends first; the worker sees to that. Its exit code.
stop() {
	local pid=$worker
	worker=''
	[ -z "$pid" ] || { kill -TERM "$pid" 2>/dev/null; wait "$pid"; }
}

# Until Enter; 1 at the end of standard input.
await_enter() {
	until read -r -t 1 _; do
		[ $? -gt 128 ] || return 1
		kill -0 "$worker" 2>/dev/null || {
			echo "the worker has ended: Enter starts it again"
			read -r _
			return
		}
	done
}

# serve [TOOL…]: the worker, until there is no more Enter to come.
serve() {
	start "$@"
	echo "Enter: build and restart; Ctrl-C: end"
	while await_enter; do
		build || { echo "not built: the worker stays as it is"; continue; }
		echo "restarting"
		stop
		start "$@"
	done
	wait "$worker"
}

# gdb keeps the terminal; the wrapper gives the worker its socket.
debug() {
	gdb -q -ex "set exec-wrapper spawn-fcgi -n -s $socket --" -ex 'handle SIGTERM SIGPIPE nostop noprint pass' \
		"$@" --args "$program"
}

finish() {
	local status=$?
	trap '' INT TERM HUP
	stop || status=$?
	[ -z "$nginx" ] || { kill "$nginx" && wait "$nginx"; } 2>/dev/null
	[ -z "$folder" ] || rm -rf "$folder"
	exit "$status"
}

mode=${1:-}
case $mode in
--gdb) shift ;;
'' | --valgrind) [ $# -le 1 ] || die "only --gdb takes more" ;;
*) die "usage: deploy/dev.sh [--valgrind | --gdb [OPTION…]]" ;;
esac
build || exit 1
trap finish EXIT
settings
web
case $mode in
--gdb)
	trap : INT # gdb's way to stop the worker
	debug "$@"
	;;
*)
	trap 'exit 0' INT TERM HUP
	if [ -z "$mode" ]; then
		serve
	else
		serve "$(command -v valgrind)" -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9
	fi
	;;
esac
