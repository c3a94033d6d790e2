/*
 * In place of the looker.  Scenario: "looker WHAT": what it does with the
 * look that it is asked for.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "proto/errors.h"
#include "regress/hostile/hostile.h"

static struct heard	 asked;
static uint64_t		 payload[2048];

/* A message of that type; all zero, or as full of lies as fits. */
static void
answer(uint32_t type, int byte, uint64_t id)
{
	memset(payload, byte, sizeof(payload));
	say(type, id, payload, msg_desc(type)->size, -1);
}

static void
do_twice(void)
{
	answer(MSG_LOOK_SIGNED, 0, asked.wire.id);
	answer(MSG_LOOK_SIGNED, 0, asked.wire.id);
	linger();
}

static void
do_stranger(void)
{
	answer(MSG_LOOK_SIGNED, 0, asked.wire.id + 1);
	linger();
}

static void
do_failed_full(void)
{
	answer(MSG_LOOK_FAILED, 'A', asked.wire.id);
	linger();
}

static void
do_signed_full(void)
{
	answer(MSG_LOOK_SIGNED, 'A', asked.wire.id);
	linger();
}

static void
do_worker(void)
{
	answer(MSG_W_CAPTURED, 0, asked.wire.id);
	linger();
}

static void
do_descriptor(void)
{
	say(MSG_LOOK_SIGNED, asked.wire.id, payload,
	    msg_desc(MSG_LOOK_SIGNED)->size, 0);
	linger();
}

static void
do_half(void)
{
	struct wire	w = { HOSTILE_MAGIC, MSG_LOOK_SIGNED,
			    (uint32_t)sizeof(struct m_signature), 0,
			    asked.wire.id };

	say_wire(&w, payload, sizeof(w) + 10, -1);
	exit(0);
}

static void
do_gone(void)
{
	exit(0);
}

static const struct {
	const char	*word;
	void		(*run)(void);
} deeds[] = {
	{ "twice",	do_twice },
	{ "stranger",	do_stranger },
	{ "failed-full", do_failed_full },
	{ "signed-full", do_signed_full },
	{ "worker",	do_worker },
	{ "descriptor",	do_descriptor },
	{ "half",	do_half },
	{ "gone",	do_gone },
};

int
main(int argc, char *argv[])
{
	size_t	i;

	hostile_init("hostile-looker", argc, argv);
	do
		hear(&asked);
	while (asked.wire.type != MSG_LOOK);
	for (i = 0; i < nitems(deeds); i++) {
		if (strcmp(deeds[i].word, hostile_word(1)) == 0)
			deeds[i].run();
	}
	return (1);
}
