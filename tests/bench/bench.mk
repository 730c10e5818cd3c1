# The benchmark, for the Makefile to include: it uses that file's B, `link`, stamps and rule for objects.
#   make bench-quick      every case against every target; tests/bench/README.md says what is measured

bench_load_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,load client answer histogram)
bench_model_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,model talk)
bench_relay_obj = $(B)/obj/tests/bench/relay.o
bench_programs = $(addprefix $(B)/bench/,load model relay)

$(B)/bench/load: $(bench_load_obj)
$(B)/bench/model: $(bench_model_obj)
$(B)/bench/relay: $(bench_relay_obj)
$(B)/bench/relay: bench_libs = -lfcgi
$(bench_programs): $(B)/obj/link.stamp
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(q)$(link) -o $@ $(filter %.o,$^) $(bench_libs) $(LDLIBS) $(LIBS)

-include $(patsubst %.o,%.d,$(bench_load_obj) $(bench_model_obj) $(bench_relay_obj))

.PHONY: bench-quick
bench-quick:
	@deploy/packages.sh test
	@$(MAKE) --no-print-directory -s $(B)/banter.fcgi $(B)/banterctl $(bench_programs)
	@BANTER_TEST_BUILD=$(abspath $(B)) /usr/bin/python3 tests/bench/run.py
