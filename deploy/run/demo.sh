# The demo of `make run`: a workspace with a chatbot and its keys, and a page with the widget, at /demo of its nginx. Sourced
# by deploy/run.sh.
#
# The page's Content-Security-Policy is as strict as a site's may be: the widget needs scripts and connections of its own
# address, and no source of styles; the one that is named is of the page's own.
# It rests on parts.sh, on ctl of run.sh, and on: here, root, run (folders), port.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034

demo_make() {
	local settings=() at=:$port
	step demo "a workspace, a chatbot and a key of each kind, in build/run/demo.env"
	# So that a client sees the headers of a limit, and that an answer goes on while its page is away. Later on it is as its
	# owner set it.
	[ -e "$run/demo.env" ] || settings=(rate_limit=60 rate_window=60 "system_prompt=@$here/run/demo.prompt")
	grep -qs '^BANTER_SITE_KEY=' "$run/demo.env" || settings+=(on_leave=finish on_repeat=attach)
	[ "$port" != 80 ] || at=''
	ctl demo --env-file "$run/demo.env" --origins "http://127.0.0.1$at,http://localhost$at"
	chmod 600 "$run/demo.env"
	widget_key=$(demo_value BANTER_WIDGET_KEY) || exit 1
	workspace_key=$(demo_value BANTER_WORKSPACE_KEY) || exit 1
	site_key=$(demo_value BANTER_SITE_KEY) || exit 1
	chatbot_id=$(demo_value BANTER_CHATBOT_ID) || exit 1
	[ ${#settings[@]} = 0 ] || ctl chatbot set "$chatbot_id" "${settings[@]}"
}

# demo_value NAME: of the line in demo.env.
demo_value() {
	local value
	value=$(sed -n "s/^$1=['\"]*\([^'\"]*\)['\"]*$/\1/p" "$run/demo.env" | tail -n 1)
	[ -n "$value" ] || die "there is no $1 in $run/demo.env: remove it and try again"
	printf '%s\n' "$value"
}

# demo_fill FILE ATTRIBUTES: the page, with the widget's line and more attributes of that.
demo_fill() {
	local text prefix=${BANTER_PATH_PREFIX:-}
	prefix=${prefix%/}
	text=$(<"$root/app/web/demo.html")
	text=${text//@URL@/"http://127.0.0.1:$port$prefix"}
	text=${text//@PREFIX@/"$prefix"}
	text=${text//@KEY@/"$site_key"}
	text=${text//@MORE@/"$2"}
	printf '%s\n' "$text" >"$1"
}

# The hash by which a policy names what stands between <style> and </style>.
demo_style_hash() {
	sed -z 's!.*<style>!!; s!</style>.*!!' "$1" | openssl dgst -sha256 -binary | base64
}

demo_page() {
	local page=$run/nginx/demo policy
	mkdir -p "$page"
	demo_fill "$page.html" ''
	demo_fill "$page/inline.html" ' data-inline="#chat"'
	policy="default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-$(demo_style_hash "$page.html")'"
	cat >"$page.conf" <<-END
		location ~ ^/demo(/inline)?\$ {
			alias "$page\$1.html";
			default_type text/html;
			charset utf-8;
			add_header Cache-Control no-store;
			add_header Content-Security-Policy "$policy; base-uri 'none'; form-action 'none'";
		}
	END
}
