# Banter. `make run` on a fresh machine does everything; `make test` runs every test.
#
# A packager's CC, CPPFLAGS, CFLAGS, LDFLAGS, LDLIBS (or LIBS), PREFIX and DESTDIR are taken from the environment and the
# command line; a change of them builds anew what they bear on. B is the folder of what is built, SAN a sanitizer's flags,
# for compiling and linking.

B ?= build
SAN ?=
PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config
INSTALL ?= install
CFLAGS ?= -O2 -g

# To make it would be two folders, of which `clean` removes both.
ifneq ($(words $(B)),1)
$(error B is one folder, without white space in its name: "$(B)")
endif

packages = libcurl json-c libpq libssl libcrypto zlib
package_cflags := $(shell $(PKG_CONFIG) --cflags $(packages) 2>/dev/null)
package_libs := $(shell $(PKG_CONFIG) --libs $(packages) 2>/dev/null)

PROTECT = -fstack-protector-strong
# As the package's. Symbols are found before the fork, once, and not by each worker in pages of its own.
BIND = -Wl,-z,relro -Wl,-z,now
# With all of them found, a call needs no entry in a table of jumps, which is code of its own.
CALLS = -fno-plt
# What is ours comes before what a user adds: a folder of theirs must not hide a header of ours.
all_cflags = -std=c11 -D_GNU_SOURCE -Iinclude $(package_cflags) $(CPPFLAGS) $(WARN) $(PROTECT) $(CALLS) $(CFLAGS) $(SAN)
all_ldflags = $(PROTECT) $(BIND) $(CFLAGS) $(SAN) $(LDFLAGS)
libs = -lfcgi $(package_libs) -lpthread $(LDLIBS) $(LIBS)
model_libs = -lmicrohttpd -ljson-c -lpthread $(LDLIBS) $(LIBS)
compile = $(CC) $(all_cflags) $(WERROR) -c
link = $(CC) $(all_ldflags)

LOWER = base wire edge chat ops
lower_src := $(foreach d,$(LOWER),$(wildcard app/$(d)/*.c))
http_src := $(wildcard app/http/*.c)
pool_src := $(wildcard app/pool/*.c)
ctl_src := $(foreach d,cli doctor ctl,$(wildcard app/$(d)/*.c))
model_src := $(wildcard tests/model/*.c)
# print_… are no tests: they say what the program knows, for lint to hold files against.
unit_src := $(wildcard tests/unit/test_*.c tests/unit/print_*.c)
migrations := $(sort $(wildcard sql/migrations/*.sql))
sql := $(migrations) $(sort $(filter-out $(migrations),$(wildcard sql/*/*.sql))) sql/roles.sql

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
fcgi_obj = $(call obj,$(lower_src) $(http_src) $(pool_src)) $(B)/obj/web.o
ctl_obj = $(call obj,$(lower_src) $(ctl_src)) $(B)/obj/sql.o
model_obj = $(call obj,$(model_src))
archive_obj = $(call obj,$(filter-out %/main.c,$(lower_src) $(ctl_src) $(http_src) $(pool_src))) $(B)/obj/web.o
unit_tests = $(patsubst tests/unit/%.c,$(B)/unit/%,$(unit_src))

# What banterctl knows of itself.
manuals = $(B)/man/banterctl.1 $(B)/man/banter.conf.5 $(B)/man/banter.fcgi.8
completions = $(B)/completions/bash/banterctl $(B)/completions/zsh/_banterctl

.DELETE_ON_ERROR:
.PHONY: all run test test-long lint fuzz mutants clean unit unit-programs
all: $(B)/banter.fcgi $(B)/banterctl $(manuals) $(completions)

$(B)/banter.fcgi: $(fcgi_obj) $(B)/obj/link.stamp $(B)/obj/banter.fcgi.stamp
	$(call say,LD,$@)
	$(q)$(link) -o $@ $(fcgi_obj) $(libs)

$(B)/banterctl: $(ctl_obj) $(B)/obj/link.stamp $(B)/obj/banterctl.stamp
	$(call say,LD,$@)
	$(q)$(link) -o $@ $(ctl_obj) $(libs)

$(B)/banter-model: $(model_obj) $(B)/obj/link.stamp $(B)/obj/banter-model.stamp
	$(call say,LD,$@)
	$(q)$(link) -o $@ $(model_obj) $(model_libs)

# The dependencies name B as make does: one folder may be given in several ways.
$(B)/obj/%.o: %.c $(B)/obj/compile.stamp
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(q)$(compile) -MMD -MP -MT '$$(B)/obj/$*.o' -o $@ $<

# It takes the API's description into itself, which no compiler writes among the dependencies.
$(B)/obj/app/http/description.o: app/http/openapi.json

# Unit tests link an archive: what a test defines itself (a stubbed edge) wins over the archive's.
$(B)/libbanter.a: $(archive_obj) $(B)/obj/libbanter.a.stamp
	$(call say,AR,$@)
	@rm -f $@
	$(q)$(AR) qcs $@ $(archive_obj)

# Every call beneath us fails, once each.
torture_obj = $(call obj,tests/torture/torture.c)
failing := $(shell sed -nE 's/^[A-Z]+.([A-Za-z0-9_]+).*/-Wl,--wrap=\1/p' tests/torture/calls.h)
$(B)/unit/%_torture: wrapped = $(failing)
$(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*_torture.c)): $(torture_obj)

$(B)/torture.fcgi: $(fcgi_obj) $(torture_obj) $(B)/obj/link.stamp $(B)/obj/unit.stamp
	$(call say,LD,$@)
	$(q)$(link) -o $@ $(fcgi_obj) $(torture_obj) $(failing) $(libs)

$(unit_tests): $(B)/unit/%: $(B)/obj/tests/unit/%.o $(B)/libbanter.a $(B)/obj/link.stamp $(B)/obj/unit.stamp
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(q)$(link) -o $@ $(filter %.o %.a,$^) -lcmocka $(wrapped) $(libs)

# The schema travels inside banterctl: one file to install, and it cannot be of another version.
$(B)/obj/sql.c: app/ctl/embed-sql $(sql) $(B)/obj/sql.stamp
	$(call say,GEN,$@)
	$(q)app/ctl/embed-sql $(sql) >$@

# The widget travels inside banter.fcgi.
web = $(B)/obj/web
include app/http/web.mk

# From standard input: its place would be written among the dependencies.
$(B)/obj/sql.o $(B)/obj/web.o: $(B)/obj/%.o: $(B)/obj/%.c $(B)/obj/compile.stamp
	$(call say,CC,$<)
	$(q)$(compile) -MMD -MP -MF $(@:.o=.d) -MT '$$(B)/obj/$*.o' -o $@ -x c - <$<

$(B)/man/banter.fcgi.8: deploy/man/banter.fcgi.8
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(q)cp $< $@

$(B)/man/%: $(B)/banterctl
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(q)$< manual $(basename $(@F)) >$@

$(completions): $(B)/banterctl
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(q)$< completion $(notdir $(@D)) >$@

-include $(patsubst %.o,%.d,$(sort $(fcgi_obj) $(ctl_obj) $(model_obj) $(call obj,$(unit_src)) $(torture_obj)))
-include tests/bench/bench.mk
include deploy/install.mk
include deploy/shared-host/dist.mk

run:
	@deploy/packages.sh run
	@$(MAKE) --no-print-directory -s all $(B)/banter-model
	@exec deploy/run.sh

test:
	@deploy/packages.sh test
	@tests/run

# What takes longer than `make test` may.
test-long:
	@deploy/packages.sh test
	@tests/run --long

unit-programs: $(unit_tests)
unit: unit-programs
	@tests/unit/run $(B)

lint:
	@tests/lint

fuzz:
	@tests/fuzz/run

mutants:
	@deploy/packages.sh test
	@tests/mutants/run

clean:
	$(q)rm -rf $(B)

# What is compiled and linked with, and of what each is made: a file that is gone leaves no trace in them. WERROR is not
# among them, since no object is another for it.
stamps = $(B)/obj
stamp_names = compile link unit sql web banter.fcgi banterctl banter-model libbanter.a
without_b = $(patsubst $(B)/%,%,$(1))
words_compile = $(CC) $(all_cflags)
words_link = $(link) $(libs) $(model_libs)
words_unit = $(failing)
words_sql = $(sql)
words_banter.fcgi = $(call without_b,$(fcgi_obj))
words_banterctl = $(call without_b,$(ctl_obj))
words_banter-model = $(call without_b,$(model_obj))
words_libbanter.a = $(call without_b,$(archive_obj))
include deploy/build.mk
