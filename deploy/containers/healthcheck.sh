#!/bin/sh
# Whether the pool is there and reaches the database: /health on its status listener, which no stream keeps busy.
REQUEST_METHOD=GET REQUEST_URI=/health REMOTE_ADDR=127.0.0.1 \
	cgi-fcgi -bind -connect "${BANTER_STATUS_LISTEN#unix:}" | grep -q '"status":"ok"'
