/*
 * In place of the network.  Scenario: "network WHAT ...".
 *
 *	table TYPE MISTAKE	one message of the table, wrong
 *	value N			a case of do_value
 *	half-close, half-silent, random SEED
 *	progress		endless progress of nothing
 *	fetch WHAT		an answer to a fetch: twice, outcome, text,
 *				keep (the descriptor stays open)
 *	upload WHAT		to an upload: twice, text, id, control
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "regress/hostile/hostile.h"

static int
is(int word, const char *what)
{
	return (strcmp(hostile_word(word), what) == 0);
}

static void
do_value(void)
{
	struct m_net_uploaded	u;
	struct m_net_fetched	f;

	memset(&u, 0, sizeof(u));
	memset(&f, 0, sizeof(f));
	strlcpy(u.remote_id, "x", sizeof(u.remote_id));
	switch (hostile_number(2)) {
	case 0:				/* of no upload */
		say(MSG_NET_UPLOADED, 4711, &u, sizeof(u), -1);
		break;
	case 1:				/* 0 is no upload either */
		say(MSG_NET_UPLOADED, 0, &u, sizeof(u), -1);
		break;
	case 2:
		say(MSG_NET_FETCHED, 4711, &f, sizeof(f), -1);
		break;
	default:
		say(MSG_NET_FETCHED, 0, &f, sizeof(f), -1);
	}
}

static void
do_random(void)
{
	static uint64_t	payload[2048];
	struct wire	w;
	size_t		i, n;

	chance_seed((uint32_t)hostile_number(2));
	for (;;) {
		for (i = 0; i < nitems(payload); i++)
			payload[i] = ((uint64_t)chance(UINT32_MAX) << 32) |
			    chance(UINT32_MAX);
		w.magic = HOSTILE_MAGIC;
		w.type = chance(4) ? MSG_NET_PROGRESS : chance(MSG_COUNT + 2);
		n = msg_desc(w.type) == NULL ? chance(9000) :
		    msg_desc(w.type)->size;
		w.size = (uint32_t)n;
		w.flags = 0;
		w.id = chance(3);
		say_wire(&w, payload, sizeof(w) + n, -1);
	}
}

static void
do_progress(void)
{
	struct m_net_progress	p = { UINT64_MAX, 1 };
	int			i;

	for (i = 0; i < 100000; i++)
		say(MSG_NET_PROGRESS, chance(3), &p, sizeof(p), -1);
	log_info("progress is over");
}

/* A small database that is sound, so that nothing else is refused. */
static void
fetch_answer(const struct heard *h)
{
	struct m_net_fetched	f;
	char			page[4096];
	ssize_t			n;
	int			fd;

	memset(&f, 0, sizeof(f));
	if ((fd = open("/proc/self/exe", O_RDONLY)) == -1)
		fatal("/proc/self/exe");
	while ((n = read(fd, page, sizeof(page))) > 0 &&
	    write(h->fd, page, (size_t)n) == n)
		f.size += (uint64_t)n;
	close(fd);
	if (is(2, "outcome"))
		f.outcome = NET_CANCELLED + 1;
	if (is(2, "text"))
		memset(f.reason, 'A', sizeof(f.reason));
	if (!is(2, "keep"))
		close(h->fd);
	say(MSG_NET_FETCHED, h->wire.id, &f, sizeof(f), -1);
	if (is(2, "twice"))
		say(MSG_NET_FETCHED, h->wire.id, &f, sizeof(f), -1);
}

static void
upload_answer(const struct heard *h)
{
	struct m_net_uploaded	u;

	memset(&u, 0, sizeof(u));
	strlcpy(u.remote_id, "rb-1", sizeof(u.remote_id));
	if (is(2, "text"))
		memset(u.reason, 'A', sizeof(u.reason));
	if (is(2, "id"))
		u.remote_id[0] = '\0';
	if (is(2, "control"))
		strlcpy(u.remote_id, "a\nb\xff", sizeof(u.remote_id));
	say(MSG_NET_UPLOADED, h->wire.id, &u, sizeof(u), -1);
	if (is(2, "twice"))
		say(MSG_NET_UPLOADED, h->wire.id, &u, sizeof(u), -1);
}

static void
answer(uint32_t type, void (*with)(const struct heard *))
{
	struct heard	h;

	for (;;) {
		hear(&h);
		if (h.wire.type == type)
			with(&h);
		else if (h.fd != -1)
			close(h.fd);
	}
}

int
main(int argc, char *argv[])
{
	struct heard	h;

	hostile_init("hostile-network", argc, argv);
	do
		hear(&h);
	while (h.wire.type != MSG_NET_START);
	if (hostile_is("table"))
		say_mistake(1);
	else if (hostile_is("value"))
		do_value();
	else if (hostile_is("random"))
		do_random();
	else if (hostile_is("progress"))
		do_progress();
	else if (hostile_is("fetch"))
		answer(MSG_NET_FETCH, fetch_answer);
	else if (hostile_is("upload"))
		answer(MSG_NET_UPLOAD, upload_answer);
	else if (hostile_is("half-close")) {
		say_half();
		return (0);
	} else if (hostile_is("half-silent")) {
		say_half();
		log_info("half is said");
	}
	linger();
}
