# The private PostgreSQL of `make run`: a cluster under build/run/pg that only the user who runs it can reach, through
# a unix socket in a private folder. Never the machine's own. Sourced by deploy/run.sh.
#
# PostgreSQL refuses to run as root: there it runs as the owner of the cluster, at first the user postgres.
# It rests on parts.sh, pooler.sh and on: run, sock (folders), workers. It sets owner_url and app_url.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034

pg=$run/pg
# In front of a PostgreSQL program: the user it runs as.
pg_as=(setpriv)
pg_owner=''
# Nothing of the caller's environment, least of all PG… and keys.
pg_env=(env -i -C / "PATH=$PATH" LC_ALL=C.UTF-8 HOME=/)

# Sets `pg_bin`: the version that made the cluster, else the newest.
pg_find() {
	local made=''
	pg_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	[ -x "$pg_bin/initdb" ] || pg_bin=$(pg_config --bindir 2>/dev/null)
	if [ -d "$pg" ]; then
		made=$("${pg_as[@]}" cat "$pg/PG_VERSION" 2>/dev/null) ||
			die "$pg cannot be read: move it away to begin anew"
		[ ! -x "/usr/lib/postgresql/$made/bin/postgres" ] || pg_bin=/usr/lib/postgresql/$made/bin
	fi
	[ -x "$pg_bin/initdb" ] ||
		die "PostgreSQL is not installed: deploy/packages.sh run installs it"
	[ -z "$made" ] || [ "$("$pg_bin/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" = "$made" ] ||
		die "$pg was made by PostgreSQL $made, which is not installed: install it, or move $pg away to begin anew"
}

# Sets `pg_as` and `pg_user`. As root the clone may lie in a folder that user cannot enter (/root): the one process is
# then allowed to look into folders, not more.
pg_who() {
	local ids base caps
	pg_user=$(id -un)
	[ "$(id -u)" = 0 ] || {
		[ ! -e "$pg" ] || [ -O "$pg" ] || die "$pg belongs to $(stat -c %U "$pg"): run as that user, or move it away"
		return 0
	}
	ids=$(id -u postgres 2>/dev/null) ||
		die "PostgreSQL refuses to run as root, and there is no user postgres to run it as: create one"
	ids="$ids $(id -g postgres)"
	[ ! -d "$pg" ] || ids=$(stat -c '%u %g' "$pg")
	pg_owner=${ids/ /:}
	[ "${ids% *}" != 0 ] || die "$pg belongs to root, and PostgreSQL refuses to run as root: move it away"
	base=(setpriv "--reuid=${ids% *}" "--regid=${ids#* }" --clear-groups)
	for caps in '' dac_read_search dac_override; do
		pg_as=("${base[@]}")
		[ -z "$caps" ] || pg_as+=("--inh-caps=+$caps" "--ambient-caps=+$caps")
		! "${pg_as[@]}" test -d "$run/." 2>/dev/null || return 0
	done
	die "PostgreSQL runs as the user $(id -un "${ids% *}"), who cannot enter $run: move the clone out of the private folder"
}

# Private folders of the user PostgreSQL runs as.
pg_folder() {
	mkdir -m 700 "$1" && { [ -z "$pg_owner" ] || chown "$pg_owner" "$1"; }
}

pg_create() {
	[ ! -d "$pg" ] || return 0
	step database "making a PostgreSQL ${pg_bin//[!0-9]/} cluster in build/run/pg, once"
	rm -rf "$pg.new"
	pg_folder "$pg.new" || die "cannot make $pg.new: is the folder yours?"
	part_run initdb "${pg_env[@]}" "${pg_as[@]}" --pdeathsig TERM "$pg_bin/initdb" -D "$pg.new" -U banter \
		--auth=reject --encoding=UTF8 --locale=C.UTF-8 || {
		part_tell initdb
		die "the database cluster could not be made"
	}
	mv "$pg.new" "$pg"
}

# Under the run's lock: a server of a killed run is ended; what it left behind must not hinder this one.
pg_tidy() {
	local pid left=400
	[ -e "$pg/postmaster.pid" ] || return 0
	read -r pid <"$pg/postmaster.pid"
	while [ "$(readlink "/proc/$pid/cwd")" = "$pg" ]; do
		kill -INT "$pid"
		[ $((left -= 1)) -gt 0 ] || die "the PostgreSQL of an earlier run (process $pid) does not end: end it, then try again"
		sleep 0.05
	done
	rm -f "$pg/postmaster.pid"
}

# A word for postgresql.conf's and pg_hba.conf's double quotes.
pg_quote() {
	printf '"%s"' "${1//\"/\"\"}"
}

# Who may come in: this user alone, whatever role, and whom PgBouncer runs as, for the pool; nobody over the network.
pg_rules() {
	rm -f "$pg/banter_hba.conf" "$pg/banter_ident.conf"
	echo "local all all peer map=banter" >"$pg/banter_hba.conf"
	printf 'banter %s %s\n' "$(pg_quote "$pg_user")" banter "$(pg_quote "$pg_user")" banter_app \
		"$(pg_quote "$(id -un ${pg_owner:+"${pg_owner%:*}"})")" banter_app >"$pg/banter_ident.conf"
	chmod 644 "$pg/banter_hba.conf" "$pg/banter_ident.conf"
}

pg_do() {
	"${pg_env[@]}" psql -XqAt -v ON_ERROR_STOP=1 -h "$sock/pg" -p 5432 -U banter "$@" 9>&-
}

pg_start() {
	local left=1200 connections=$((workers + 32))
	[ -z "$pooler" ] || connections=0
	pg_folder "$sock/pg" || die "cannot make $sock/pg"
	pg_rules || die "cannot write in $pg: is it yours?"
	part_start postgresql "${pg_env[@]}" "${pg_as[@]}" --pdeathsig INT "$pg_bin/postgres" -D "$pg" \
		-c listen_addresses= -c port=5432 -c "unix_socket_directories=$(pg_quote "$sock/pg")" \
		-c unix_socket_permissions=0700 -c "hba_file=$pg/banter_hba.conf" -c "ident_file=$pg/banter_ident.conf" \
		-c "max_connections=$((connections > 100 ? connections : 100))" -c logging_collector=off \
		-c log_destination=stderr
	until "${pg_env[@]}" "$pg_bin/pg_isready" -q -t 2 -h "$sock/pg" -p 5432 -U banter -d postgres 9>&-; do
		if ! part_alive postgresql || [ $((left -= 1)) -eq 0 ]; then
			part_tell postgresql
			die "PostgreSQL does not start"
		fi
		sleep 0.05
	done
	[ -n "$(pg_do -d postgres -c "select 1 from pg_database where datname = 'banter'")" ] ||
		pg_do -d postgres -c "create database banter encoding 'UTF8' template template0" || die "cannot create the database"
}

# pg_url ROLE PORT: the socket's folder as the host, escaped so that neither a URL nor a shell needs more.
pg_url() {
	local path=$sock/pg host='' char i
	for ((i = 0; i < ${#path}; i++)); do
		char=${path:i:1}
		case $char in
		[a-zA-Z0-9._-]) ;;
		*) printf -v char %%%02X "'$char" ;;
		esac
		host+=$char
	done
	printf 'postgresql://%s@%s:%s/banter' "$1" "$host" "$2"
}

database_start() {
	pg_who
	pg_find
	pg_tidy
	pg_create
	step database "PostgreSQL ${pg_bin//[!0-9]/}, private: its socket is in ${sock#"$root/"}/pg"
	pooler_find
	pg_start
	pooler_start
	owner_url=$(pg_url banter 5432)
	app_url=$(pg_url banter_app "$([ -n "$pooler" ] && echo "$pooler_port" || echo 5432)")
}
