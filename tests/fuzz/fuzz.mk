# Builds every fuzzer, and what it fuzzes, with clang: for tests/fuzz/run, which says how.
#   make -f tests/fuzz/fuzz.mk O=build/fuzz MODE=-fsanitize=address,undefined

CLANG ?= clang
O ?= build/fuzz
MODE ?= -fsanitize=address,undefined -fno-sanitize-recover=all

packages = libcurl json-c libpq libssl libcrypto zlib
package_cflags := $(shell pkg-config --cflags $(packages))
libs := -lfcgi -lcmocka $(shell pkg-config --libs $(packages)) -lpthread
FLAGS = -std=c11 -D_GNU_SOURCE -Iinclude -Itests/unit $(WARN) -O1 -g -fno-omit-frame-pointer $(MODE) $(package_cflags)

targets = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# An archive: a fuzzer has of it what it calls, and what it defines itself (a stubbed edge) wins.
shared = $(wildcard tests/fuzz/oracle_*.c $(patsubst %,app/%/*.c,base wire chat http)) \
	$(patsubst %,app/edge/%.c,digest gateway listen queue silent)
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))

.DELETE_ON_ERROR:
.PHONY: all
all: $(addprefix $(O)/,$(targets))

$(addprefix $(O)/,$(targets)): $(O)/%: $(O)/obj/tests/fuzz/%.o $(O)/shared.a
	$(call say,LD,$@)
	$(q)$(CLANG) $(FLAGS) -fsanitize=fuzzer -o $@ $^ $(libs)

$(O)/shared.a: $(call obj,$(shared)) $(O)/obj/web.o $(O)/obj/shared.stamp
	$(call say,AR,$@)
	@rm -f $@
	$(q)$(AR) qcs $@ $(filter %.o,$^)

$(O)/obj/%.o: %.c $(O)/obj/compile.stamp
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(q)$(CLANG) $(FLAGS) $(WERROR) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(O)/obj/app/http/description.o: app/http/openapi.json

web = $(O)/obj/web
include app/http/web.mk
$(O)/obj/web.o: $(O)/obj/web.c $(O)/obj/compile.stamp
	$(call say,CC,$<)
	$(q)$(CLANG) $(FLAGS) $(WERROR) -c -o $@ $<

-include $(patsubst %.o,%.d,$(call obj,$(shared) $(patsubst %,tests/fuzz/%.c,$(targets))))

stamps = $(O)/obj
stamp_names = compile shared web
words_compile = $(CLANG) $(FLAGS) $(libs)
words_shared = $(shared)
include deploy/build.mk
