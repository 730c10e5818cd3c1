#!/usr/bin/env bash
# Installs the packages that are missing: packages.sh build|deb|run|pooler|test|bench
#
# The one list of what Banter needs from Debian, and the one place that installs it; for the tests and the benchmark also
# what they need of npm, into build. It is silent and quick when nothing is missing. It leaves no service started or enabled that was
# not before: Debian starts nginx, Apache and PostgreSQL when they are installed, Banter runs its own.
# It rests on dpkg and apt-get, and on sudo for whoever is not root.
set -u
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P) || exit 1
build=${here%/*}/build
log=$build/packages.log
# What was before, until it is put back: a run that was killed is mended by the next one.
state=/var/lib/banter-packages
policy=/usr/sbin/policy-rc.d
mark='# banter-packages: no service starts while packages are installed'

die() {
	printf 'banter: %s\n' "$*" >&2
	exit 1
}

# The newest installed PostgreSQL, else the one this Debian carries.
postgres_major() {
	local newest
	newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
	newest=${newest#/usr/lib/postgresql/}
	[ "${newest%%/*}" != '*' ] || newest=15
	echo "${newest%%/*}"
}

# The packages of a purpose, one a line. `/path` or `command:name` before `=` means: only if that is not there.
list() {
	case $1 in
	build)
		printf '%s\n' gcc libc6-dev make pkg-config=command:pkg-config \
			libfcgi-dev libcurl4-openssl-dev libjson-c-dev libpq-dev libssl-dev zlib1g-dev
		;;
	deb)
		list build
		printf '%s\n' build-essential debhelper dpkg-dev fakeroot
		;;
	run)
		list build
		printf '%s\n' "postgresql=/usr/lib/postgresql/$(postgres_major)/bin/initdb" \
			nginx-light=/usr/sbin/nginx libmicrohttpd-dev openssl curl
		;;
	pooler) echo pgbouncer=/usr/sbin/pgbouncer ;;
	test)
		list run
		list deb
		list pooler
		printf '%s\n' clang clang-format clang-tidy cppcheck llvm libclang-rt-14-dev libcmocka-dev \
			"postgresql-$(postgres_major)-pgtap" "postgresql-$(postgres_major)-plproxy" libtap-parser-sourcehandler-pgtap-perl \
			apache2 libapache2-mod-fcgid lighttpd caddy h2o spawn-fcgi multiwatch \
			patroni etcd-server etcd-client haproxy iproute2=command:ip \
			systemd systemd-container logrotate gdb valgrind \
			lintian mandoc tmux zsh libfcgi-bin python3-yaml prometheus=command:promtool \
			python3-pytest python3-pytest-xdist python3-pytest-timeout python3-requests python3-psycopg2 python3-jsonschema \
			shellcheck nodejs=command:node npm=command:npm procps chromium chromium-driver
		;;
	# Also what Banter is compared with. Debian starts PHP-FPM when it is installed, as it does the servers.
	bench)
		list test
		printf '%s\n' php-fpm php-pgsql php-curl
		;;
	esac
}

# Sets `missing`.
find_missing() {
	local entry name have
	declare -A installed=()
	missing=()
	mapfile -t wanted < <(list "$1")
	while read -r name have; do
		[[ $have = ?i* ]] && installed[$name]=1
	done < <(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "${wanted[@]%%=*}" 2>/dev/null)
	for entry in "${wanted[@]}"; do
		name=${entry%%=*}
		[ -z "${installed[$name]:-}" ] || continue
		case $entry in
		*=command:*) command -v "${entry#*=command:}" >/dev/null && continue ;;
		*=/*) [ -x "${entry#*=}" ] && continue ;;
		esac
		missing+=("$name")
	done
}

# Whatever starts by itself, one a line: systemd's links, the rc links without their numbers.
enabled() {
	find /etc/systemd/system /etc/systemd/user -type l 2>/dev/null
	find /etc/rc?.d -name 'S*' 2>/dev/null | sed 's|/S[0-9]*|/S|'
}

# An Apache that was there keeps its modules.
apache_modules() {
	find /etc/apache2/mods-enabled -name '*.load' 2>/dev/null
}

remember() {
	[ -d "$state" ] || {
		rm -rf "$state.new" && mkdir -p "$state.new" || return 1
		enabled | sort >"$state.new/enabled"
		[ ! -d /etc/apache2/mods-enabled ] || apache_modules | sort >"$state.new/apache"
		mv "$state.new" "$state" || return 1
	}
	grep -qsF "$mark" "$policy" && return 0
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		mv "$policy" "$policy.before-banter" || return 1
	fi
	printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy.new" && chmod 755 "$policy.new" && mv "$policy.new" "$policy"
}

disable() {
	local link=$1 unit
	unit=$(basename "$link")
	case $link in
	/etc/rc?.d/S*) update-rc.d "${unit#S}" disable ;;
	# By itself, or systemctl would disable more than this link says.
	*) echo "disabling $link" && rm -f "$link" && rmdir --ignore-fail-on-non-empty "$(dirname "$link")" ;;
	esac
}

put_back() {
	local link module
	[ -d "$state" ] || return 0
	while read -r link; do
		disable "$link"
	done < <(enabled | sort | comm -13 "$state/enabled" -)
	if [ -e "$state/apache" ]; then
		while read -r module; do
			a2dismod -q -f "$(basename "$module" .load)"
		done < <(apache_modules | sort | comm -13 "$state/apache" -)
	fi
	if grep -qsF "$mark" "$policy"; then
		rm -f "$policy"
	fi
	if [ -e "$policy.before-banter" ] || [ -L "$policy.before-banter" ]; then
		mv -f "$policy.before-banter" "$policy"
	fi
	rm -rf "$state"
	[ ! -d /run/systemd/system ] || systemctl daemon-reload
}

# Runs one step of the installation: `short` may be cut short by the stop word, `whole` must not.
step() {
	local kind=$1 pid status
	shift
	[ -z "$stopped" ] || return 130
	"$@" 7<&- 9>&- </dev/null &
	pid=$!
	[ "$kind" = whole ] || child=$pid
	while :; do
		wait "$pid"
		status=$?
		kill -0 "$pid" 2>/dev/null || break
	done
	child=''
	return "$status"
}

update() {
	local tries=0
	until step short "${apt[@]}" -o APT::Update::Error-Mode=any update >"$state/update" 2>&1; do
		cat "$state/update"
		# The machine's own daily update may be at it.
		grep -q 'lists/lock' "$state/update" && [ $((tries += 1)) -le 60 ] || return 1
		step short sleep 5 || return 1
	done
}

# As root, with its output in the log. The end of standard input is the stop word: a signal would not pass sudo.
# Exit 3: the package lists could not be fetched; 130: stopped.
install() {
	local updated=yes
	stopped='' child='' watcher=''
	local apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
	exec 7<&0 9>/run/banter-packages.lock && flock 9 || return 1
	trap '[ -z "$watcher" ] || kill "$watcher" 2>/dev/null; put_back' EXIT
	trap 'stopped=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP
	(read -r _ <&7; kill -TERM $$) 9>&- &
	watcher=$!
	remember || return 1
	find_missing "$1"
	[ ${#missing[@]} -gt 0 ] || return 0
	step whole dpkg --configure -a
	update || updated=no
	step short "${apt[@]}" install --no-install-recommends --download-only "${missing[@]}" &&
		step whole "${apt[@]}" install --no-install-recommends "${missing[@]}"
	[ -z "$stopped" ] || return 130
	find_missing "$1"
	[ ${#missing[@]} -gt 0 ] || return 0
	[ $updated = yes ] || return 3
	return 1
}

# Runs the installation as root, and passes on the wish to stop.
as_root() {
	local status pid word become=() stopped=''
	if [ "$(id -u)" != 0 ]; then
		if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
			become=(sudo -n)
		elif command -v sudo >/dev/null && [ -t 0 ] && [ -t 2 ] && sudo -v; then
			become=(sudo)
		elif [ ${#missing[@]} -eq 0 ]; then
			return 0
		else
			die "missing packages, and you may not install them. an administrator types: $command"
		fi
	fi
	printf 'banter: installing %s (log: build/packages.log)\n' "${missing[*]:-nothing, only tidying up}"
	coproc { exec "${become[@]}" bash "$here/packages.sh" install "$1" >"$log" 2>&1; }
	pid=$!
	# shellcheck disable=SC2034 # the trap closes it
	word=${COPROC[1]:-}
	trap '[ -n "$stopped" ] || { stopped=yes; exec {word}>&-; } 2>/dev/null' INT TERM HUP
	while :; do
		wait "$pid"
		status=$?
		[ -d "/proc/$pid" ] || break
		[ -z "$stopped" ] || echo "banter: stopping; what is being unpacked is finished first"
	done
	trap - INT TERM HUP
	return "$status"
}

main() {
	local command
	command -v dpkg-query >/dev/null || die "this installs Debian packages, and there is no dpkg here"
	find_missing "$1"
	[ ${#missing[@]} -gt 0 ] || [ -d "$state" ] || return 0
	command="apt-get update && apt-get install --no-install-recommends ${missing[*]}"
	{ mkdir -p "$build" && rm -f "$log" && : >"$log"; } 2>/dev/null ||
		die "cannot write build/packages.log: is the folder yours?"
	as_root "$1"
	case $? in
	0) ;;
	3) die "the package lists could not be fetched: is there a network? see build/packages.log" ;;
	130 | 143) die "stopped while installing: run it again" ;;
	*) die "installing failed: see the end of build/packages.log" ;;
	esac
}

# npm_install FROM NAME WHAT: the npm packages of the versions that FROM/package-lock.json names, into build/NAME. Nothing
# of it is the machine's: whoever runs the tests has them in this folder's build.
npm_install() {
	local from=${here%/*}/$1 folder=$build/$2
	local log=$folder/log done=$folder/node_modules/.done
	! cmp -s "$from/package-lock.json" "$done" || return 0
	{ mkdir -p "$folder" && exec 8>>"$folder/lock"; } 2>/dev/null || die "cannot write build/$2: is the folder yours?"
	flock 8
	! cmp -s "$from/package-lock.json" "$done" || return 0
	printf 'banter: installing %s (log: build/%s/log)\n' "$3" "$2"
	if ! cp "$from/package.json" "$from/package-lock.json" "$folder/" ||
		! (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --cache "$folder/cache" \
			</dev/null >"$log" 2>&1 8>&-) || ! cp "$from/package-lock.json" "$done"; then
		die "npm ci failed: see the end of build/$2/log"
	fi
	exec 8>&-
}

case ${1:-} in
test)
	main "$1" && npm_install tests/system/clients npm "what the tests read streams with" &&
		npm_install tests/system/front_ends npm-front-ends "front ends that the tests run" &&
		npm_install tests/system/generated npm-generated "what reads the API's description, and makes a client of it"
	;;
bench) main "$1" && npm_install tests/bench/rivals/node npm-bench "what Banter is compared with" ;;
build | deb | run | pooler) main "$1" ;;
install) install "${2:?}" ;;
*) die "usage: packages.sh build|deb|run|pooler|test|bench" ;;
esac
