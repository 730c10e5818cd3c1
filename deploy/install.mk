# make install, uninstall and deb. Included by the Makefile.
#
# What is installed knows where it lies: where the files of deploy/ name our own in /usr, it becomes PREFIX.

UNITS ?= $(PREFIX)/lib/systemd/system
share = $(PREFIX)/share
version = $(shell sed -n 's/^\#define BANTER_VERSION "\(.*\)"/\1/p' include/base/version.h)
# One folder for each way of running it; its page goes to the documentation.
ways = $(filter-out containers debian dev man run shared-host,$(notdir $(patsubst %/,%,$(dir $(wildcard deploy/*/README.md)))))
way_files = $(filter-out %/README.md,$(shell find $(addprefix deploy/,$(ways)) -type f | sort))
# from=to:mode. The units and what belongs to them are also found under share/, as all of deploy/ is.
plain = \
	$(B)/banter.fcgi=$(PREFIX)/lib/banter/banter.fcgi:755 \
	$(B)/banterctl=$(PREFIX)/bin/banterctl:755 \
	app/http/openapi.json=$(share)/banter/openapi.json:644
# The widget's files, for a site that serves them itself: their folder is named by what is in them.
share_web = $(share)/banter/web
edited = \
	deploy/systemd/banter.service=$(UNITS)/banter.service:644 \
	deploy/systemd/banter.socket=$(UNITS)/banter.socket:644 \
	deploy/systemd/banter-sweep.service=$(UNITS)/banter-sweep.service:644 \
	deploy/systemd/banter-sweep.timer=$(UNITS)/banter-sweep.timer:644 \
	deploy/systemd/sysusers.conf=$(PREFIX)/lib/sysusers.d/banter.conf:644 \
	deploy/systemd/tmpfiles.conf=$(PREFIX)/lib/tmpfiles.d/banter.conf:644 \
	deploy/banter.conf=$(share)/banter/banter.conf:644 \
	README.md=$(share)/doc/banter/README.md:644 \
	LICENSE=$(share)/doc/banter/LICENSE:644 \
	$(foreach f,$(way_files),$(f)=$(share)/banter/$(f:deploy/%=%):$(if $(shell test -x $(f) && echo x),755,644)) \
	$(foreach w,$(ways),deploy/$(w)/README.md=$(share)/doc/banter/deploy/$(w)/README.md:644)
# What banterctl knows of itself; the Makefile names it.
zsh_functions ?= $(share)/zsh/site-functions
extras = \
	$(foreach f,$(manuals),$(f)=$(share)/man/man$(subst .,,$(suffix $(f)))/$(notdir $(f)):644) \
	$(foreach f,$(filter %/bash/banterctl,$(completions)),$(f)=$(share)/bash-completion/completions/$(notdir $(f)):644) \
	$(foreach f,$(filter %/zsh/_banterctl,$(completions)),$(f)=$(zsh_functions)/$(notdir $(f)):644)

from = $(firstword $(subst =, ,$(1)))
target = $(firstword $(subst :, ,$(lastword $(subst =, ,$(1)))))
mode = $(lastword $(subst :, ,$(1)))
edit = sed -e 's!/usr/\(bin/banter\|lib/banter/\|share/banter/\|share/doc/banter/\)!$(PREFIX)/\1!g'

.PHONY: install uninstall deb
install: all
	$(q)set -e; $(foreach f,$(plain) $(extras),$(INSTALL) -D -m $(call mode,$(f)) $(call from,$(f)) "$(DESTDIR)$(call target,$(f))";)
	$(q)set -e; $(foreach f,$(edited),$(INSTALL) -D -m $(call mode,$(f)) /dev/null "$(DESTDIR)$(call target,$(f))"; \
		$(edit) $(call from,$(f)) >"$(DESTDIR)$(call target,$(f))";)
	$(q)for f in $$(cd $(web) && find . -type f); do \
		$(INSTALL) -D -m 644 "$(web)/$$f" "$(DESTDIR)$(share_web)/$$f" || exit 1; done

uninstall:
	$(q)rm -rf "$(DESTDIR)$(share_web)"
	$(q)rm -f $(foreach f,$(plain) $(edited) $(extras),"$(DESTDIR)$(call target,$(f))")
	$(q)for folder in lib/banter share/banter share/doc/banter; do \
		[ ! -d "$(DESTDIR)$(PREFIX)/$$folder" ] || \
			find "$(DESTDIR)$(PREFIX)/$$folder" -depth -type d -empty -delete; done

# From a copy: dpkg-buildpackage wants debian/ at the top, and puts the package beside it. Nothing of this make's
# variables may reach the inner one: its `clean` removes B.
deb_stage = $(B)/deb/banter-$(version)
deb:
	@deploy/packages.sh deb
	$(q)rm -rf $(B)/deb && mkdir -p $(deb_stage)
	$(q)cp -a app include sql deploy Makefile README.md LICENSE $(deb_stage)/
	$(q)mv $(deb_stage)/deploy/debian $(deb_stage)/debian
	$(q)cd $(deb_stage) && env -i PATH="$$PATH" dpkg-buildpackage --build=binary --no-sign >../build.log 2>&1 || \
		{ tail -n 40 ../build.log >&2; exit 1; }
	@ls $(B)/deb/*.deb
