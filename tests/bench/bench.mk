# The benchmark, for the Makefile to include: it uses that file's B, ALL_CFLAGS and rule for objects.
#   make bench-quick      every case against every target; tests/bench/README.md says what is measured

bench_load_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,load client answer histogram)
bench_model_obj = $(patsubst %,$(B)/obj/tests/bench/%.o,model talk)

$(B)/bench/load: $(bench_load_obj)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^

$(B)/bench/model: $(bench_model_obj)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^

-include $(bench_load_obj:.o=.d) $(bench_model_obj:.o=.d)

.PHONY: bench-quick
bench-quick:
	@deploy/packages.sh test
	@$(MAKE) --no-print-directory -s $(B)/banter.fcgi $(B)/banterctl $(B)/bench/load $(B)/bench/model
	@BANTER_TEST_BUILD=$(abspath $(B)) /usr/bin/python3 tests/bench/run.py
