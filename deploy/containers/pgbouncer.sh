#!/bin/sh
# PgBouncer with its one client's password, from a secret, in a file that lives in memory.
set -eu
umask 077
# With or without a line feed at its end.
IFS= read -r password <"${PASSWORD_FILE:-/run/secrets/banter_password}" || [ -n "$password" ]
# Quotes are doubled there.
printf '"banter" "%s"\n' "$(printf %s "$password" | sed 's/"/""/g')" >/tmp/userlist.txt
exec /usr/sbin/pgbouncer /etc/banter/pgbouncer-container.ini
