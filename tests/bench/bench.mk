# The benchmark, for the Makefile to include: it uses that file's B, `link`, stamps and rule for objects.
# tests/bench/README.md says what is measured.
#   make bench            the tables, beside the limit of the design and what people use today: 12 minutes
#   make bench-quick      what a token costs, beside nginx alone and the bare relay: 3 minutes
#   make bench-plan       what deploy/scale/README.md is reckoned from
#   make bench-all        the rest too

bench_load_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,load client answer histogram)
bench_model_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,model talk)
bench_relay_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,relay relay_pool)
bench_floor_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,floor relay_pool)
bench_programs = $(addprefix $(B)/bench/,load model relay floor)

$(B)/bench/load: $(bench_load_obj)
$(B)/bench/model: $(bench_model_obj)
$(B)/bench/relay: $(bench_relay_obj)
$(B)/bench/relay: bench_libs = -lfcgi
$(B)/bench/floor: $(bench_floor_obj) $(B)/libbanter.a
$(B)/bench/floor: bench_libs = $(libs)
$(bench_programs): $(B)/obj/link.stamp
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(q)$(link) -o $@ $(filter %.o %.a,$^) $(bench_libs) $(LDLIBS) $(LIBS)

-include $(patsubst %.o,%.d,$(bench_load_obj) $(bench_model_obj) $(bench_relay_obj) $(bench_floor_obj))

.PHONY: bench bench-all bench-plan bench-quick
# Of each: what it installs, and the runner's words.
bench: bench_packages = bench
bench-all: bench_packages = bench
bench-all: bench_words = --all
bench-plan: bench_packages = test
bench-plan: bench_words = --quick --only streams memory hops
bench-quick: bench_packages = test
bench-quick: bench_words = --quick --rounds 3
bench bench-all bench-plan bench-quick:
	@deploy/packages.sh $(bench_packages)
	@$(MAKE) --no-print-directory -s $(B)/banter.fcgi $(B)/banterctl $(bench_programs)
	@BANTER_TEST_BUILD=$(abspath $(B)) /usr/bin/python3 tests/bench/run.py $(bench_words) --json $(B)/bench/$@.json
