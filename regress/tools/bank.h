/*
 * The bank: a database whose accounts hold a constant total, so that any
 * copy that is not one consistent state shows.
 */
#ifndef REGRESS_TOOLS_BANK_H
#define REGRESS_TOOLS_BANK_H

#include <stdint.h>

struct bank {
	const char	*path;
	const char	*mode;		/* journal_mode, NULL: as it is */
	const char	*encoding;	/* init: UTF-8, UTF-16le, UTF-16be */
	const char	*vacuum;	/* init: none, full, incremental */
	const char	*log;		/* run: acknowledged n go here */
	int		 accounts;	/* init */
	int		 page_size;	/* init; bytes */
	int		 ballast_mb;	/* init */
	int		 rate;		/* tx a second of all; 0: no pause */
	int		 busy_ms;
	int		 seconds;	/* 0: until a signal */
	int		 writers;	/* processes */
	int		 autocheckpoint;	/* pages; -1: SQLite's own */
};

/* Ballast rows have this many bytes at first. */
#define BALLAST_BYTES	16384

/* Forks the writers, waits for them and prints the line; exit status. */
int	bank_run(const struct bank *);

#endif
