# The command uses <repartir/…> headers only, as a user does; libcli.la is all
# of it but main(), so that tests and fuzzers reach the parts.
noinst_LTLIBRARIES += libcli.la
libcli_la_SOURCES = src/cli/args.c src/cli/args.h src/cli/bench/bench.h \
	src/cli/bench/bench_priv.h src/cli/bench/calls.c \
	src/cli/bench/group.c src/cli/bench/plan.c src/cli/bench/rates.c \
	src/cli/bench/report.c src/cli/bench/svg.c src/cli/bench/time.c \
	src/cli/ckpt/ckpt.h src/cli/ckpt/ckpt_priv.h src/cli/ckpt/diff.c \
	src/cli/ckpt/export.c \
	src/cli/ckpt/halt.c src/cli/ckpt/list.c src/cli/ckpt/path.c src/cli/ckpt/print.c \
	src/cli/ckpt/remove.c src/cli/ckpt/show.c src/cli/ckpt/values.c \
	src/cli/ckpt/values.h src/cli/ckpt/verify.c \
	src/cli/check.c src/cli/cmd_ckpt.c src/cli/cmd_bench.c src/cli/cmd_cancel.c src/cli/cmd_explain.c src/cli/cmd_info.c \
	src/cli/cmd_query.c src/cli/cmd_run.c src/cli/cmd_status.c src/cli/cmd_submit.c \
	src/cli/cmd_tune.c src/cli/command.h \
	src/cli/drive.c src/cli/fault.c src/cli/fault.h src/cli/files.c \
	src/cli/files.h src/cli/input.c src/cli/input.h src/cli/joblog.c \
	src/cli/joblog.h src/cli/launch.c src/cli/launch.h src/cli/list.c \
	src/cli/list.h src/cli/map.c src/cli/map.h src/cli/options_table.c \
	src/cli/options_table.h src/cli/outfile.c src/cli/outfile.h \
	src/cli/output.c src/cli/output.h \
	src/cli/parse.h src/cli/parse_json.c src/cli/parse_lines.c \
	src/cli/progress.c src/cli/progress.h src/cli/record.c \
	src/cli/report.c src/cli/report.h src/cli/requests.c \
	src/cli/results.c src/cli/results.h src/cli/rows.c src/cli/rows.h src/cli/run.h src/cli/run_args.c \
	src/cli/signals.c src/cli/signals.h src/cli/sink.c src/cli/sink.h \
	src/cli/submit.c src/cli/table.c src/cli/template.c \
	src/cli/template.h src/cli/text.c src/cli/text.h src/cli/tune.h \
	src/cli/tune_rules.c src/cli/tune_time.c
libcli_la_LIBADD = $(JANSSON_LIBS) -lpthread -lm
EXTRA_DIST += src/cli/README.md src/cli/bench/README.md \
	src/cli/ckpt/README.md

bin_PROGRAMS += repartir
repartir_SOURCES = src/cli/main.c
repartir_LDADD = libcli.la librepartir.la

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = completions/repartir

dist_man_MANS += doc/man/repartir.1 doc/man/repartir-run.1 \
	doc/man/repartir-status.1 doc/man/repartir-submit.1 \
	doc/man/repartir-cancel.1 doc/man/repartir-explain.1 \
	doc/man/repartir-info.1 doc/man/repartir-tune.1 \
	doc/man/repartir-bench.1 doc/man/repartir-ckpt.1 doc/man/repartir-query.1

# Made from the registry of options, by asking the command.
nodist_man_MANS = doc/man/repartir.conf.5
EXTRA_DIST += doc/man/repartir.conf.5.in
dist_doc_DATA += doc/tasks.schema.json
doc_DATA += doc/options.md doc/repartir.conf.sample
CLEANFILES += doc/man/repartir.conf.5 doc/options.md doc/repartir.conf.sample
doc/man/repartir.conf.5: repartir$(EXEEXT) $(srcdir)/doc/man/repartir.conf.5.in
	@$(MKDIR_P) doc/man
	./repartir$(EXEEXT) info --options=man >$@.table
	sed -e '/@OPTIONS@/{r $@.table' -e 'd;}' \
		$(srcdir)/doc/man/repartir.conf.5.in >$@.new
	rm -f $@.table
	mv $@.new $@
doc/options.md: repartir$(EXEEXT)
	@$(MKDIR_P) doc
	./repartir$(EXEEXT) info --options=md >$@.new
	mv $@.new $@
doc/repartir.conf.sample: repartir$(EXEEXT)
	@$(MKDIR_P) doc
	./repartir$(EXEEXT) info --options=conf >$@.new
	mv $@.new $@
