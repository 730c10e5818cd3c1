# The parts of `make run`: processes started, watched and stopped, each with its log. Sourced by deploy/run.sh.
#
# A part is a direct child in a session of its own: Ctrl-C reaches this script alone, which then stops the parts in
# order. Should the script be killed, the kernel tells each part to end (`tied`); what is left is met by the next run.
# It rests on: run, logs (folders). Descriptor 9 is the run's lock, which no part inherits.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034

declare -A part_pid=()
# In front of a program: it ends when this script does.
tied=(setpriv --pdeathsig TERM)
# Set by a second Ctrl-C.
hurry=''

say() {
	printf '%s\n' "$*"
}

step() {
	printf '  %-9s %s\n' "$1" "$2"
}

die() {
	printf 'banter: %s\n' "$*" >&2
	exit 1
}

# Sets `field` to what the kernel says of a process behind its name, its state first (proc(5)); nothing where it has ended.
# Without a process of its own: there may be many to look at.
process() {
	local line=''
	{ IFS='' read -r -d '' line <"/proc/$1/stat"; } 2>/dev/null
	read -ra field <<<"${line##*) }"
	[ "${#field[@]}" -gt 0 ] && [ "${field[0]}" != Z ]
}

# When a process started, in clock ticks: with its id, what tells it from a later one of the same id.
started_at() {
	local -a field
	process "$1" && echo "${field[19]}"
}

part_alive() {
	[ -n "${part_pid[$1]:-}" ] && kill -0 "${part_pid[$1]}" 2>/dev/null
}

# part_start NAME COMMAND…: output goes to logs/NAME.log; the last run's is kept beside it.
part_start() {
	local name=$1 log=$logs/$1.log
	shift
	[ ! -e "$log" ] || mv -f "$log" "$log.1"
	(exec setsid env --default-signal=INT,QUIT "$@" </dev/null >"$log" 2>&1 9>&-) &
	part_pid[$name]=$!
	echo "$name $! $(started_at $!)" >>"$run/parts"
}

# part_run NAME COMMAND…: a part that is to end by itself; its exit code. Waited for so that signals are heard.
part_run() {
	local name=$1 status
	part_start "$@"
	wait "${part_pid[$name]}"
	status=$?
	unset "part_pid[$name]"
	return "$status"
}

# The end of a part's log, for a person.
part_tell() {
	local log=$logs/$1.log
	[ -s "$log" ] || return 0
	printf 'banter: the end of %s:\n' "$log" >&2
	tail -n "${2:-15}" "$log" | sed 's/^/    /' >&2
}

part_signal() {
	! part_alive "$1" || kill "-$2" "${part_pid[$1]}" 2>/dev/null
}

# part_end NAME SECONDS: waits for a part that was told to end, then kills it and what it started.
part_end() {
	local name=$1 left=$(($2 * 20))
	while part_alive "$name" && [ $((left -= 1)) -gt 0 ] && [ -z "$hurry" ]; do
		sleep 0.05
	done
	if part_alive "$name"; then
		say "  $name did not end in time: killed"
		kill -KILL -- "-${part_pid[$name]}" 2>/dev/null
	fi
	[ -z "${part_pid[$name]:-}" ] || wait "${part_pid[$name]}" 2>/dev/null
	unset "part_pid[$name]"
}

# What a killed run left behind, one process a line: the parts themselves, and the workers of those that are gone.
leftover() {
	local boot name pid since one
	local -a field
	local -A parts=()
	exec 8<"$run/parts"
	read -r boot <&8
	[ "$boot" = "$(</proc/sys/kernel/random/boot_id)" ] || return 0
	while read -r name pid since <&8; do
		parts[$pid]=$since
	done
	for one in /proc/[0-9]*; do
		one=${one#/proc/}
		process "$one" || continue
		if [ -n "${parts[$one]:-}" ]; then
			[ "${field[19]}" != "${parts[$one]}" ] || echo "$one"
		elif [ -n "${parts[${field[3]}]:-}" ]; then
			# The session's number alone could be another's by now.
			case $(readlink "/proc/$one/exe" "/proc/$one/cwd") in
			"$bin"/* | *"$run/nginx") echo "$one" ;;
			esac
		fi
	done
}

# The kernel tells what a killed run left behind to end; this waits for it, then insists. Bounded.
parts_leftover() {
	local pid tries=0
	local -a left
	while [ -e "$run/parts" ]; do
		mapfile -t left < <(leftover)
		[ ${#left[@]} -gt 0 ] || break
		case $((tries += 1)) in
		1) say "waiting for what an earlier run left behind: process ${left[*]}" ;;
		10) kill -TERM "${left[@]}" 2>/dev/null ;;
		150) kill -KILL "${left[@]}" 2>/dev/null ;;
		200) die "process ${left[*]} of an earlier run does not end: end it, then try again" ;;
		esac
		sleep 0.1
	done
	cat /proc/sys/kernel/random/boot_id >"$run/parts"
}
