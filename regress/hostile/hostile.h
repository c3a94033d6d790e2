/*
 * What the hostile programs share.  Each stands in the place of one of our
 * own, does what a scenario says (the file "scenario" beside it: words),
 * and then waits until the engine lets go of it.
 */
#ifndef REGRESS_HOSTILE_H
#define REGRESS_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

#define HOSTILE_MAGIC	0x43424431
#define HOSTILE_FD	0x01
#define ENGINE		3		/* the descriptor */

struct wire {
	uint32_t	magic;
	uint32_t	type;
	uint32_t	size;
	uint32_t	flags;
	uint64_t	id;
};

struct heard {
	struct wire	wire;
	int		fd;		/* -1: none */
	union {
		uint64_t	align;
		unsigned char	bytes[16384];
	}		u;
};

/* Reads the scenario; word n of it is hostile_word(n), "" behind the end. */
void		 hostile_init(const char *name, int argc, char *argv[]);
const char	*hostile_word(int n);
long		 hostile_number(int n);
int		 hostile_is(const char *word1);	/* word 1 */

/* A right header, whatever is in the payload; fd -1: none.  Blocks. */
void	say(uint32_t type, uint64_t id, const void *payload, size_t size,
	    int fd);
/* Any header, and only n bytes of the whole. */
void	say_wire(const struct wire *, const void *payload, size_t n, int fd);

/* The next message: 0, or the program ends when the engine is gone. */
void	hear(struct heard *);
int	hear_ms(struct heard *, int timeout_ms);	/* 1 came, 0 none */

/*
 * One mistake with one message of the table: "TYPE MISTAKE" are words 2 and
 * 3.  short, long, empty, fd (one too many or missing), as (as it should be:
 * for the wrong direction, or state).
 */
void	say_mistake(uint64_t id);

void	say_half(void);			/* a header and ten bytes */
void	linger(void) __attribute__((__noreturn__));
uint32_t chance(uint32_t n);		/* 0 to n - 1, seeded */
void	chance_seed(uint32_t);
void	fill_text(char *dst, size_t size);	/* any bytes, with an end */

#endif
