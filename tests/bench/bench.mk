# The benchmark, for the Makefile to include: it uses that file's B, `link`, stamps and rule for objects.
#   make bench-quick      every case against every target; tests/bench/README.md says what is measured

bench_load_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,load client answer histogram)
bench_model_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,model talk)

$(B)/bench/load: $(bench_load_obj)
$(B)/bench/model: $(bench_model_obj)
$(B)/bench/load $(B)/bench/model: $(B)/obj/link.stamp
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(q)$(link) -o $@ $(filter %.o,$^) $(LDLIBS) $(LIBS)

-include $(bench_load_obj:.o=.d) $(bench_model_obj:.o=.d)

.PHONY: bench-quick
bench-quick:
	@deploy/packages.sh test
	@$(MAKE) --no-print-directory -s $(B)/banter.fcgi $(B)/banterctl $(B)/bench/load $(B)/bench/model
	@BANTER_TEST_BUILD=$(abspath $(B)) /usr/bin/python3 tests/bench/run.py
