# `make bench`: what is built for it is optimised, without sanitizers, in a
# folder of its own.  ROWS="create lock" runs some of the rows, ROUNDS=n with
# so many rounds, MB=n with databases of that size; the environment's BENCH_DIR
# is where the databases are kept.  `make bench-plots PLOTS=size` draws one.
BENCH_TOOLS =	drain hotpool load lockwatch pos sink
bench_programs := $(addprefix $(B)/regress/bench/,$(BENCH_TOOLS))
TOOLS +=	$(bench_programs)

$(bench_programs): $(B)/regress/bench/%: $(B)/obj/regress/bench/%.o \
    $(call obj,regress/tools/tool.c common/compat.c common/log.c \
    common/util.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd)

bench-tools: $(bench_programs)

BENCH_BUILD =	build-bench
bench_make =	@$(MAKE) -s -j$(JOBS) B=$(BENCH_BUILD) CFLAGS=-O2 SAN= all \
		    bench-tools
bench_run =	@python3 -B regress/bench/bench.py -b $(abspath $(BENCH_BUILD)) \
		    $(if $(ROUNDS),-r $(ROUNDS)) $(if $(MB),-m $(MB))

bench:
	$(bench_make)
	$(bench_run) $(if $(ROWS)$(MB),,-d docs/benchmarks.md) $(ROWS)
bench-quick:
	$(bench_make)
	$(bench_run) -q $(ROWS)
bench-plots:
	$(bench_make)
	@python3 -B regress/bench/plots.py -b $(abspath $(BENCH_BUILD)) \
	    $(if $(ROUNDS),-r $(ROUNDS)) $(PLOTS)
bench-profile:
	$(bench_make)
	@python3 -B regress/bench/profile.py -b $(abspath $(BENCH_BUILD))

.PHONY: bench bench-quick bench-plots bench-profile bench-tools
