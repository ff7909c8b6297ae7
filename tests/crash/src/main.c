// SPDX-License-Identifier: MPL-2.0
/* One static program, so that guests need nothing else. */
#include <string.h>

#include "lakecrash.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} VERBS[] = {
	{ "workload", lc_workload_main,
	  "--dir D --acks DEVICE --seed N --streams N --ops N" },
	{ "check", lc_check_main,
	  "--dir D --acks FILE --seed N --streams N --ops N [--synced] "
	  "[--replace-flushes]" },
	{ "load", lc_load_main,
	  "--dir D --seed N --streams N --seconds N [--ops N] [--stop FILE] "
	  "[--result FILE]" },
	{ "kill", lc_kill_main,
	  "--name N --seed N --count N --min-ms N --max-ms N [--acks DEVICE] "
	  "[--probe DIR [--sysfs DIR [--standby PROGRAM]]]" },
	{ "ops", lc_ops_main, "--seed N --streams N --ops N" },
	{ "replay", lc_replay_main,
	  "--log DEV --image DEV --fs TYPE --seed N --states N ..." },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++)
		if (argc > 1 && !strcmp(argv[1], VERBS[i].name))
			return VERBS[i].run(argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++)
		fprintf(stderr, "lakecrash %s %s\n", VERBS[i].name,
			VERBS[i].help);
	return 2;
}
