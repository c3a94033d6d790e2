/*
 * Following a job: a bar with rate and time left on a terminal, else one
 * line for each phase.  A signal leaves the job to the daemon, which goes
 * on with it.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"
#include "proto/errors.h"

#define POLL_MS		200
#define BAR_WIDTH	24

struct follow {
	const struct ctl	*ctl;
	char			 phase[32];
	uint64_t		 phase_us;	/* when it began */
	int			 drawn;
};

static void
line_clear(struct follow *f)
{
	if (f->drawn)
		fprintf(stderr, "\r\033[K");
	f->drawn = 0;
}

/* Rate and time left of this phase, "" while nobody can tell. */
static void
pace(const struct follow *f, int64_t done, int64_t total, char *dst,
    size_t size)
{
	char		rate_text[16], left_text[16];
	double		s = (double)(util_monotonic_us() - f->phase_us) / 1e6;
	int64_t		rate;

	dst[0] = '\0';
	if (s < 0.5 || done <= 0)
		return;
	rate = (int64_t)((double)done / s);
	say_size(rate_text, rate);
	if (total <= done || rate <= 0) {
		(void)snprintf(dst, size, "  %s/s", rate_text);
		return;
	}
	say_age(left_text, (total - done) / rate);
	(void)snprintf(dst, size, "  %s/s  %s left", rate_text, left_text);
}

static void
draw(struct follow *f, const char *phase, int64_t done, int64_t total)
{
	char	bar[BAR_WIDTH + 1], done_text[16], total_text[16], tail[64];
	int	full, percent;

	if (total <= 0) {
		line_clear(f);
		fprintf(stderr, "%-8s", phase);
		f->drawn = 1;
		return;
	}
	if (done > total)
		done = total;
	percent = (int)(done * 100 / total);
	full = percent * BAR_WIDTH / 100;
	memset(bar, '#', (size_t)full);
	memset(bar + full, '.', (size_t)(BAR_WIDTH - full));
	bar[BAR_WIDTH] = '\0';
	say_size(done_text, done);
	say_size(total_text, total);
	pace(f, done, total, tail, sizeof(tail));
	line_clear(f);
	fprintf(stderr, "%-8s [%s] %3d%%  %s/%s%s", phase, bar, percent,
	    done_text, total_text, tail);
	f->drawn = 1;
}

static void
show(struct follow *f, struct json_object *job)
{
	char		 phase[32];
	const char	*state = j_text(job, "state");

	say_clean(phase, sizeof(phase), strcmp(state, "queued") == 0 ?
	    "waits" : j_text(job, "phase"));
	if (strcmp(phase, f->phase) != 0) {
		strlcpy(f->phase, phase, sizeof(f->phase));
		f->phase_us = util_monotonic_us();
		if (!f->ctl->terminal && !f->ctl->json && phase[0] != '\0' &&
		    strcmp(phase, "done") != 0)
			fprintf(stderr, "%s\n", phase);
	}
	if (f->ctl->terminal && !f->ctl->json)
		draw(f, phase, j_int(job, "bytes_done"),
		    j_int(job, "bytes_total"));
}

/* What the job failed with, as if it had been answered at once. */
static int
failed(const char *what, struct json_object *job)
{
	const struct err_desc	*d = err_desc(E_INTERNAL_ERROR);
	char			 text[1024], code[64];
	uint32_t		 e;

	say_clean(text, sizeof(text), j_text(job, "error"));
	say_clean(code, sizeof(code), j_text(job, "error_code"));
	for (e = E_NONE + 1; e < E_COUNT; e++) {
		if (strcmp(err_desc(e)->token, code) == 0)
			d = err_desc(e);
	}
	say_error("%s: %s (%s)", what, text, code);
	fprintf(stderr, "%s\n", d->remediation);
	return (say_exit(d->status));
}

int
job_follow(const struct ctl *ctl, const char *what,
    const struct answer *begun, struct answer *job)
{
	struct timespec	ts = { 0, POLL_MS * 1000000L };
	struct follow	f;
	char		path[64];
	const char	*state;

	memset(&f, 0, sizeof(f));
	memset(job, 0, sizeof(*job));
	f.ctl = ctl;
	(void)snprintf(path, sizeof(path), "/jobs/%lld",
	    (long long)j_int(j_data(begun), "id"));
	for (;;) {
		client_call(ctl->client, "GET", path, NULL, 0, job);
		if (job->status != 200) {
			line_clear(&f);
			return (say_failure(what, job));
		}
		show(&f, j_data(job));
		state = j_text(j_data(job), "state");
		if (strcmp(state, "done") == 0 ||
		    strcmp(state, "failed") == 0)
			break;
		answer_free(job);
		nanosleep(&ts, NULL);
	}
	line_clear(&f);
	return (strcmp(state, "done") == 0 ? CTL_OK :
	    failed(what, j_data(job)));
}
