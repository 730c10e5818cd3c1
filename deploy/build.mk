# How a command is told, and what makes its result out of date besides its files. Included by the Makefile and by
# tests/fuzz/fuzz.mk, at their ends: they set `stamps`, a folder, and `stamp_names`.

# `make V=1` shows the commands, else there is a line a file; `make -s` says nothing.
silent = $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(silent)$(filter 1,$(V)),,@printf '  %-3s %s\n' '$(1)' '$(2)')
q = $(if $(filter 1,$(V)),,@)

# That a warning is an error is for whoever tests, with the compilers that are known here: WERROR=-Werror.
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2

# NAME.stamp holds the words of words_NAME, such as a command and its flags, or a list of files. It is written only when
# they are others than those in it, so what depends on it is made again then and only then. GNU make 4.3 does not always
# take the file's last line feed away, so `strip` does.
stamp_of = $(stamps)/$(1).stamp
stamp_files := $(foreach name,$(stamp_names),$(call stamp_of,$(name)))
kept = $(findstring [$(strip $(words_$(1)))],[$(strip $(file <$(call stamp_of,$(1))))])
.PHONY: $(foreach name,$(stamp_names),$(if $(call kept,$(name)),,$(call stamp_of,$(name))))
$(stamp_files): $(stamps)/%.stamp:
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(strip $(words_$*)))' >$@
