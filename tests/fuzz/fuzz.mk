# Builds every fuzzer, and what it fuzzes, with clang: for tests/fuzz/run, which says how.
#   make -f tests/fuzz/fuzz.mk O=build/fuzz MODE=-fsanitize=address,undefined

CLANG ?= clang
O ?= build/fuzz
MODE ?= -fsanitize=address,undefined -fno-sanitize-recover=all

json_cflags := $(shell pkg-config --cflags json-c)
json_libs := $(shell pkg-config --libs json-c)
FLAGS = -std=c11 -D_GNU_SOURCE -Iinclude $(WARN) -O1 -g -fno-omit-frame-pointer $(MODE) $(json_cflags)

targets = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
shared = $(wildcard tests/fuzz/oracle_*.c app/wire/*.c) $(patsubst %,app/base/%.c,buf clock counter log log_sink shared_memory utf8) \
	app/chat/limit_address.c \
	$(patsubst %,app/chat/model_%.c,answer chunk markers reasoning token)
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))

.DELETE_ON_ERROR:
.PHONY: all
all: $(addprefix $(O)/,$(targets))

$(addprefix $(O)/,$(targets)): $(O)/%: $(O)/obj/tests/fuzz/%.o $(O)/shared.a
	$(call say,LD,$@)
	$(q)$(CLANG) $(FLAGS) -fsanitize=fuzzer -o $@ $^ $(json_libs)

$(O)/shared.a: $(call obj,$(shared)) $(O)/obj/shared.stamp
	$(call say,AR,$@)
	@rm -f $@
	$(q)$(AR) qcs $@ $(call obj,$(shared))

$(O)/obj/%.o: %.c $(O)/obj/compile.stamp
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(q)$(CLANG) $(FLAGS) $(WERROR) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(call obj,$(shared) $(patsubst %,tests/fuzz/%.c,$(targets))))

stamps = $(O)/obj
stamp_names = compile shared
words_compile = $(CLANG) $(FLAGS) $(json_libs)
words_shared = $(shared)
include deploy/build.mk
