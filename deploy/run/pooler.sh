# The private PgBouncer of `make run`, where workers outnumber what PostgreSQL should bear: the file of deploy/pgbouncer,
# then what is different here. Sourced by deploy/run.sh.
#
# It runs as whom PostgreSQL runs as, and its socket lies beside PostgreSQL's, in a folder that nobody else can enter: who
# gets there needs no password. Its time limits fit those that deploy/run.sh gives the pool.
# It rests on parts.sh, database.sh (pg_as, pg_env) and on: here, sock (folders), workers. It sets `pooler`.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034

# So many workers may have a connection of PostgreSQL's each: on a small machine more would only wait for each other, and
# each is a process of some megabytes.
pooler_above=32
pooler_port=6432

pooler_program() {
	PATH=$PATH:/usr/sbin:/sbin command -v pgbouncer
}

# Sets `pooler`, the program; '': the workers connect to PostgreSQL themselves.
pooler_find() {
	pooler=''
	[ "$workers" -gt "$pooler_above" ] || return 0
	pooler=$(pooler_program) || { "$here/packages.sh" pooler && pooler=$(pooler_program); } ||
		step pooler "PgBouncer is not installed: each of $workers workers takes a connection of PostgreSQL's"
}

pooler_file() {
	local quoted=\'$sock/pg\'
	rm -f "$sock/pg/pgbouncer.ini" "$sock/pg/userlist.txt"
	echo '"banter_app" ""' >"$sock/pg/userlist.txt"
	cat >"$sock/pg/pgbouncer.ini" <<-END
		%include $here/pgbouncer/pgbouncer.ini
		; Still its section [pgbouncer]: to begin it anew would reset all of it to PgBouncer's defaults.
		logfile =
		pidfile =
		unix_socket_dir = $sock/pg
		unix_socket_mode = 0700
		listen_port = $pooler_port
		auth_type = trust
		auth_file = $sock/pg/userlist.txt
		stats_users = banter_app
		; Below the pool's BANTER_DATABASE_TIME here, and a login that is slow on a busy machine refuses nobody.
		query_wait_timeout = 8
		server_connect_timeout = 8
		; While the workers are exchanged there are up to twice as many, or 16 more.
		max_client_conn = $((2 * workers + 32))
		[databases]
		banter = host=$quoted
	END
	chmod 644 "$sock/pg/pgbouncer.ini" "$sock/pg/userlist.txt"
}

# pooler_value NAME: of deploy/pgbouncer's file.
pooler_value() {
	sed -n "s/^$1 = //p" "$here/pgbouncer/pgbouncer.ini"
}

pooler_start() {
	local left=400
	[ -n "$pooler" ] || return 0
	pooler_file || die "cannot write in $sock/pg"
	step pooler "PgBouncer, private: $workers workers share $(($(pooler_value default_pool_size) + $(pooler_value \
		reserve_pool_size))) connections to PostgreSQL"
	part_start pgbouncer "${pg_env[@]}" "${pg_as[@]}" --pdeathsig TERM "$pooler" "$sock/pg/pgbouncer.ini"
	until [ -S "$sock/pg/.s.PGSQL.$pooler_port" ]; do
		if ! part_alive pgbouncer || [ $((left -= 1)) -eq 0 ]; then
			part_tell pgbouncer
			die "PgBouncer does not start"
		fi
		sleep 0.05
	done
}
