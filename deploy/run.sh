#!/usr/bin/env bash
# `make run`, after the build: everything Banter needs, private to this folder, until Ctrl-C or SIGTERM.
#
#   nginx on 127.0.0.1:PORT → the pool (banter.fcgi) → PostgreSQL in build/run/pg, for many workers through PgBouncer
#                                                    → the stand-in model, or a real one
#
# For trying and developing, not for a public site. All state is in build/run; the data there is kept.
# Settings in the environment (BANTER_…, OPENAI_API_KEY) reach the pool as they are.
set -u
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P) || exit 1
root=${here%/*}
bin=${BANTER_BIN:-$root/build}
run=$root/build/run
logs=$run/log
sock=$run/sock
port=${PORT:-8080}
# As many as there may be; with LEAST:MOST there are fewer while little is asked.
asked=${BANTER_WORKERS:-16}
workers=${asked##*:}
# The server's data on the way to build/run/env.
env_lines=()

# shellcheck source=deploy/run/parts.sh
. "$here/run/parts.sh"
# shellcheck source=deploy/run/database.sh
. "$here/run/database.sh"
# shellcheck source=deploy/run/pooler.sh
. "$here/run/pooler.sh"
# shellcheck source=deploy/run/demo.sh
. "$here/run/demo.sh"

# What would go wrong later is said first.
check() {
	local name
	case $root in
	*[][\"\'\\\$\`\;*?]* | *$'\n'*) die "the folder's name has a character nginx cannot take: rename $root" ;;
	esac
	[[ $port =~ ^[1-9][0-9]{0,4}$ && $port -le 65535 ]] || die "PORT=$port is not a port: 1 to 65535"
	[[ $asked =~ ^[1-9][0-9]{0,4}(:[1-9][0-9]{0,4})?$ && ${asked%%:*} -le $workers ]] ||
		die "BANTER_WORKERS=$asked is not a number of workers"
	for name in banter.fcgi banterctl banter-model; do
		[ -x "$bin/$name" ] || die "$bin/$name is missing: make run builds it"
	done
	nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx) || die "nginx is missing: deploy/packages.sh run installs it"
	{ mkdir -p "$logs" "$run/nginx" && [ -w "$run" ] && [ -w "$logs" ]; } 2>/dev/null ||
		die "cannot write in $run, it belongs to $(stat -c %U "$run" 2>/dev/null): run as that user, or move it away"
	: 2>/dev/null 9>>"$run/lock" || die "cannot write $run/lock: run as $(stat -c %U "$run/lock"), or remove it"
	exec 9>>"$run/lock"
	flock -n 9 || die "make run is already running in this folder: end it with Ctrl-C, or use another clone"
}

# A shell that has sourced build/run/env hands all of it to the next run: what was private to the run before is no wish
# of the caller's.
forget_before() {
	local before
	case ${BANTER_LISTEN:-}' '${BANTER_DATABASE_URL:-} in
	unix:*/pool' 'postgresql://banter_app@*%2Fpg:[56]432/banter) unset BANTER_DATABASE_URL BANTER_ADMIN_DATABASE_URL ;;
	esac
	before=$(model_url)
	[ -z "$before" ] || [ "${BANTER_MODEL_URL:-}" != "$before/v1" ] || unset BANTER_MODEL_URL
	unset BANTER_URL BANTER_WIDGET_KEY BANTER_WORKSPACE_KEY BANTER_SITE_KEY BANTER_CHATBOT_ID
}

# Before anything is started. A connection is the only sure sign, whoever listens and however.
check_port() {
	! timeout 3 bash -c ": </dev/tcp/127.0.0.1/$port" 2>/dev/null ||
		die "port $port is taken: PORT=$((port < 65535 ? port + 1 : port - 1)) make run"
}

# A unix socket's path has at most 107 bytes; a clone that lies deeper gets its sockets in /tmp.
folders() {
	local longest=$sock/pg/.s.PGSQL.5432 old
	old=$(readlink "$sock")
	case $old in
	/tmp/banter.*) [ ! -O "$old" ] || rm -rf "$old" ;;
	esac
	rm -rf "$sock" "$run/env"
	if [ ${#longest} -le 107 ]; then
		mkdir "$sock" || die "cannot make $sock"
	else
		old=$(mktemp -d /tmp/banter.XXXXXX) || die "cannot make a folder in /tmp"
		ln -s "$old" "$sock"
		sock=$old
	fi
	chmod 711 "$sock"
}

database() {
	if [ -n "${BANTER_DATABASE_URL:-}${BANTER_DATABASE_URL_FILE:-}" ]; then
		step database "the one BANTER_DATABASE_URL names; no private PostgreSQL is started"
		return
	fi
	# They would lead to another server: the private one is meant, with nobody's password.
	# shellcheck disable=SC2086
	unset ${!PG@} ${!BANTER_DATABASE_URL@} ${!BANTER_DATABASE_PASSWORD@} ${!BANTER_ADMIN_DATABASE_URL@}
	database_start
	export BANTER_DATABASE_URL=$app_url
	env_lines+=("BANTER_ADMIN_DATABASE_URL=$owner_url")
}

# ctl WHAT ARGUMENTS…: banterctl as the database's owner.
ctl() {
	local owner=()
	[ -z "${owner_url:-}" ] || owner=("BANTER_DATABASE_URL=$owner_url")
	part_run "$1" "${tied[@]}" env "${owner[@]}" "$bin/banterctl" "$@" || {
		part_tell "$1"
		die "banterctl $1 failed"
	}
}

schema() {
	local role=()
	[ -z "${owner_url:-}" ] || role=(--role banter_app)
	step schema "bringing it up to date"
	ctl migrate "${role[@]}"
	demo_make
}

# Of the stand-in that runs, or ran last.
model_url() {
	sed -n 's/^listening on \(http:.*\)$/\1/p' "$logs/model.log" 2>/dev/null
}

model() {
	local url='' left=400
	if [ -n "${BANTER_MODEL_URL:-}${OPENAI_API_KEY:-}${OPENAI_API_KEY_FILE:-}" ]; then
		step model "a real one, as BANTER_MODEL_URL and OPENAI_API_KEY say"
		return
	fi
	part_start model env -i "PATH=$PATH" "${tied[@]}" "$bin/banter-model" --listen 127.0.0.1:0 --voice friendly
	until url=$(model_url) && [ -n "$url" ]; do
		if ! part_alive model || [ $((left -= 1)) -eq 0 ]; then
			part_tell model
			die "the stand-in model does not start"
		fi
		sleep 0.05
	done
	step model "the stand-in, on $url: it only repeats (OPENAI_API_KEY or BANTER_MODEL_URL: a real one)"
	export BANTER_MODEL_URL=$url/v1
	# A proxy of the environment cannot reach this machine's loopback.
	export no_proxy="127.0.0.1${no_proxy:+,$no_proxy}"
}

pool() {
	step pool "$asked workers"
	# Ours to set, and --listen says it; BANTER_BIN is no setting of the program's.
	unset BANTER_LISTEN BANTER_BIN PORT
	# How long running exchanges may take after Ctrl-C. A setting of the caller's may be in any unit.
	drain=$([ -n "${BANTER_DRAIN_TIME:-}" ] && echo 300 || echo $((15 + workers / 50)))
	crowd
	part_start pool env "BANTER_DRAIN_TIME=${BANTER_DRAIN_TIME:-5}" "${crowd[@]}" "${tied[@]}" \
		"$bin/banter.fcgi" --listen "unix:$sock/pool" --workers "$asked"
}

# Sets `crowd`: what the pool is told so that as many as it has workers may come in the same moment. They wait for each
# other at the socket, and for PgBouncer's few connections, rather than being refused. A setting of the caller's wins.
crowd() {
	crowd=()
	[ -z "${pooler:-}" ] || crowd+=("BANTER_DATABASE_TIME=${BANTER_DATABASE_TIME:-10}"
		"BANTER_DATABASE_CONNECT_TIME=${BANTER_DATABASE_CONNECT_TIME:-8}")
	[ "$workers" -le 1024 ] || crowd+=("BANTER_BACKLOG=${BANTER_BACKLOG:-$workers}")
}

# Each stream takes a descriptor of PgBouncer's and of the model's, and while workers are exchanged another; nginx raises
# its own limit.
descriptors() {
	local wanted=$((2 * workers + 512)) soft
	soft=$(ulimit -S -n)
	[ "$soft" = unlimited ] || [ "$soft" -ge "$wanted" ] || ulimit -S -n "$wanted" 2>/dev/null ||
		die "a process may open $(ulimit -H -n) files, $workers workers want $wanted: raise ulimit -n, or lower BANTER_WORKERS"
}

web() {
	local text user=''
	step web "nginx on 127.0.0.1:$port"
	[ "$(id -u)" != 0 ] || user='user root;'
	text=$(<"$here/nginx/banter.conf")
	# Without the comments, which name the placeholders.
	text=$(sed '/^[[:space:]]*#/d' <<<"$text")
	text=${text//@FOLDER@/"$run/nginx"}
	text=${text//@HERE@/"$here/nginx"}
	text=${text//@SOCKET@/"$sock/pool"}
	text=${text//@PORT@/"$port"}
	text=${text//@USER@/"$user"}
	printf '%s\n' "$text" >"$run/nginx/nginx.conf"
	demo_page
	ln -sf ../nginx/error.log "$logs/nginx-error.log"
	part_start nginx env -i -C "$run/nginx" "PATH=$PATH" "${tied[@]}" "$nginx" -e "$run/nginx/error.log" -c "$run/nginx/nginx.conf"
}

# Dies, with its log, if a part has ended.
check_parts() {
	local name
	for name in "${!part_pid[@]}"; do
		part_alive "$name" || {
			wait "${part_pid[$name]}"
			lost "$name" $?
		}
	done
}

# lost NAME STATUS
lost() {
	unset "part_pid[$1]"
	part_tell "$1"
	! grep -qs 'Address already in use' "$logs/$1.log" || die "port $port is taken: PORT=$((port + 1)) make run"
	! grep -qs 'bind() .*Permission denied' "$logs/$1.log" || die "port $port is not yours to use: PORT=8080 make run"
	[ "$2" -le 128 ] || die "$1 ended by itself, by signal $(kill -l "$2")"
	die "$1 ended by itself, with exit code $2"
}

healthy() {
	local left=600
	url=http://127.0.0.1:$port${BANTER_PATH_PREFIX:-}
	url=${url%/}
	until [ "$(curl -q -s -o /dev/null -m 3 --noproxy '*' -w '%{http_code}' "$url/health" 9>&-)" = 200 ]; do
		check_parts
		[ $((left -= 1)) -gt 0 ] || {
			part_tell pool
			part_tell nginx 5
			die "$url/health does not answer 200"
		}
		sleep 0.05
	done
}

# Whoever comes finds all of them: the first one answers long before the last of thousands is made.
all_workers() {
	local children=/proc/${part_pid[pool]}/task/${part_pid[pool]}/children before=0 now left=600
	while [ -r "$children" ]; do
		now=$(wc -w <"$children")
		[ "$now" -lt "${asked%%:*}" ] || return 0
		[ "$now" = "$before" ] || left=600
		before=$now
		check_parts
		[ $((left -= 1)) -gt 0 ] || return 0
		sleep 0.05
	done
}

# One `export NAME=value` a line, for `.` and as --config; quoted only where a shell needs it. All settings of the pool
# are there, so that banterctl sees what the pool sees.
write_env() {
	local line name value known=' '
	env_lines=("BANTER_URL=$url" "${env_lines[@]}" "BANTER_LISTEN=unix:$sock/pool")
	for line in "${env_lines[@]}"; do
		known+="${line%%=*} "
	done
	for name in "${!BANTER_@}" "${!OPENAI_API_KEY@}"; do
		[ -z "${!name}" ] || [[ $known = *" $name "* ]] || env_lines+=("$name=${!name}")
	done
	(
		umask 077
		rm -f "$run/env.new"
		for line in "${env_lines[@]}"; do
			value=${line#*=}
			[[ $value =~ ^[A-Za-z0-9_.,:/@%+-]*$ ]] || value="'${value//\'/\'\\\'\'}'"
			printf 'export %s=%s\n' "${line%%=*}" "$value"
		done >"$run/env.new"
		sed -n 's/^BANTER_[A-Z_]*=/export &/p' "$run/demo.env" >>"$run/env.new"
		mv -f "$run/env.new" "$run/env"
	) || die "cannot write $run/env"
}

greet() {
	local proxy=''
	[ -z "${http_proxy:-}${all_proxy:-}${ALL_PROXY:-}" ] || proxy=" --noproxy '*'"
	say ""
	say "Banter is up. Chat with it in a browser:"
	say ""
	say "http://127.0.0.1:$port/demo"
	say ""
	say "or paste this into another terminal:"
	say ""
	say "curl --no-buffer$proxy -X POST $url/v1/chat/stream -H 'Content-Type: application/json'" \
		"-H 'x-api-key: $widget_key' -d '{\"sessionId\":\"me\",\"message\":\"Hello\"}'"
	say ""
	say "and for the chatbot API:"
	say ""
	say "curl --no-buffer$proxy -X POST $url/api/v1/chatbots/$chatbot_id/chat -H 'Content-Type: application/json'" \
		"-H 'Authorization: Bearer $workspace_key' -d '{\"message\":\"Hello\",\"stream\":true}'"
	say ""
	say "for scripts: . build/run/env    logs: build/run/log    Ctrl-C stops everything"
}

# Runs at every end. The order keeps promises: no new requests, running ones finish, what they rest on goes last.
finish() {
	local status=$?
	trap 'hurry=yes' INT TERM HUP
	[ -z "${part_pid[*]-}" ] || say "  stopping"
	part_signal nginx QUIT
	part_signal pool TERM
	part_end pool "${drain:-15}"
	part_signal nginx TERM
	part_end nginx 5
	for name in "${!part_pid[@]}"; do
		[ "$name" = postgresql ] || part_signal "$name" TERM
	done
	for name in "${!part_pid[@]}"; do
		[ "$name" = postgresql ] || part_end "$name" 5
	done
	part_signal postgresql INT
	part_end postgresql 20
	[ -z "${locked:-}" ] || rm -rf "$sock" "$run/sock" "$run/env" "$run/parts"
	[ -z "${locked:-}" ] || say "  stopped; the data is kept in build/run"
	exit "$status"
}

# Until a signal, or until a part ends.
watch() {
	local ended status name
	while :; do
		wait -n -p ended "${part_pid[@]}"
		status=$?
		for name in "${!part_pid[@]}"; do
			[ "${part_pid[$name]}" != "${ended:-}" ] || lost "$name" "$status"
		done
		check_parts
	done
}

main() {
	check
	trap finish EXIT
	trap 'exit 0' INT TERM HUP
	trap : PIPE
	forget_before
	parts_leftover
	check_port
	descriptors
	locked=yes
	folders
	say "starting Banter (Ctrl-C stops it)"
	database
	schema
	model
	pool
	web
	healthy
	all_workers
	write_env
	greet
	watch
}

main
