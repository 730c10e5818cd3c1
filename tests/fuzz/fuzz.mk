# Builds every fuzzer, and what it fuzzes, with clang: for tests/fuzz/run, which says how.
#   make -f tests/fuzz/fuzz.mk O=build/fuzz MODE=-fsanitize=address,undefined

CLANG ?= clang
O ?= build/fuzz
MODE ?= -fsanitize=address,undefined -fno-sanitize-recover=all

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
FLAGS = -std=c11 -D_GNU_SOURCE -Iinclude $(WARN) -O1 -g -fno-omit-frame-pointer $(MODE) \
	$(shell pkg-config --cflags json-c)

targets = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
shared = $(wildcard tests/fuzz/oracle_*.c app/wire/*.c) app/base/buf.c app/chat/limit_address.c
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))

.PHONY: all
.SECONDARY:
all: $(addprefix $(O)/,$(targets))

$(O)/fuzz_%: $(O)/obj/tests/fuzz/fuzz_%.o $(O)/shared.a
	$(CLANG) $(FLAGS) -fsanitize=fuzzer -o $@ $^ $(shell pkg-config --libs json-c)

$(O)/shared.a: $(call obj,$(shared))
	rm -f $@
	ar rcs $@ $^

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(call obj,$(shared) $(patsubst %,tests/fuzz/%.c,$(targets))))
