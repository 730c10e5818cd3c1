# Banter. `make run` on a fresh machine does everything; `make test` runs every test.

CC ?= gcc
B ?= build
SAN ?=
PREFIX ?= /usr/local

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Iinclude $(WARN) -fstack-protector-strong $(CFLAGS) $(SAN)
LIBS = -lfcgi $(shell pkg-config --libs libcurl json-c libpq libcrypto 2>/dev/null) -lpthread
ALL_CFLAGS += $(shell pkg-config --cflags libcurl json-c libpq libcrypto 2>/dev/null)

LOWER = base wire edge chat ops
lower_src := $(foreach d,$(LOWER),$(wildcard app/$(d)/*.c))
http_src := $(wildcard app/http/*.c)
pool_src := $(wildcard app/pool/*.c)
ctl_src := $(foreach d,cli doctor ctl,$(wildcard app/$(d)/*.c))
model_src := $(wildcard tests/model/*.c)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
sql := $(sort $(wildcard sql/migrations/*.sql) $(wildcard sql/functions/*.sql) sql/roles.sql)

programs = $(B)/banter.fcgi $(B)/banterctl $(B)/banter-model

# What banterctl knows of itself.
manuals = $(B)/man/banterctl.1 $(B)/man/banter.conf.5 $(B)/man/banter.fcgi.8
completions = $(B)/completions/bash/banterctl $(B)/completions/zsh/_banterctl

.DELETE_ON_ERROR:
.PHONY: all run test lint fuzz mutants clean unit
all: $(B)/banter.fcgi $(B)/banterctl $(manuals) $(completions)

$(B)/banter.fcgi: $(call obj,$(pool_src) $(http_src) $(lower_src))
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

$(B)/banterctl: $(call obj,$(ctl_src) $(lower_src)) $(B)/obj/sql.o
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

$(B)/banter-model: $(call obj,$(model_src))
	$(CC) $(ALL_CFLAGS) -o $@ $^ -lmicrohttpd -ljson-c -lpthread

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests link an archive: what a test defines itself (a stubbed edge) wins over the archive's.
$(B)/libbanter.a: $(call obj,$(lower_src) $(filter-out app/ctl/main.c,$(ctl_src)))
	rm -f $@
	ar rcs $@ $^

unit_tests = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
unit: $(unit_tests)

comma := ,
# These make every allocation of ours fail, once each.
$(B)/unit/%_torture: LIBS += $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc strdup free)
.SECONDARY:

$(B)/unit/%: $(B)/obj/tests/unit/%.o $(B)/libbanter.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ -lcmocka $(LIBS)

# The schema travels inside banterctl: one file to install, and it cannot be of another version.
$(B)/obj/sql.c: app/ctl/embed-sql $(sql)
	@mkdir -p $(@D)
	app/ctl/embed-sql $(sql) >$@

$(B)/obj/sql.o: $(B)/obj/sql.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/man/banter.fcgi.8: deploy/man/banter.fcgi.8
	@mkdir -p $(@D)
	cp $< $@

$(B)/man/%: $(B)/banterctl
	@mkdir -p $(@D)
	$< manual $(basename $(@F)) >$@

$(completions): $(B)/banterctl
	@mkdir -p $(@D)
	$< completion $(notdir $(@D)) >$@

-include $(patsubst %.o,%.d,$(call obj,$(pool_src) $(http_src) $(lower_src) $(ctl_src) $(model_src)))
-include $(patsubst %.c,$(B)/obj/%.d,$(wildcard tests/unit/*.c))
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

lint:
	@tests/lint

fuzz:
	@tests/fuzz/run

mutants:
	@deploy/packages.sh test
	@tests/mutants/run

clean:
	rm -rf $(B)
