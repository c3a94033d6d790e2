/*
 * Every program runs this: how long to wait for a time.  In a build for
 * tests it owns the descriptor of the file that is the clock.
 */
#include "common/clock.h"

#ifdef TEST_CLOCK

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"

#define LOOK_MS		20		/* the file may have changed */

static double	speed = 1, fastest = 1;

/* Opened at first use: later this process can name no files. */
static int
clock_file(void)
{
	static int	 fd = -2;
	const char	*path;

	if (fd != -2)
		return (fd);
	if ((path = getenv("CLOCK_FILE")) == NULL)
		return (fd = -1);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		fatal("%s", path);
	return (fd);
}

int64_t
clock_test_ms(int64_t real_ms)
{
	char		text[128];
	long long	real, at;
	ssize_t		n;
	int		fd;

	if ((fd = clock_file()) == -1)
		return (real_ms);
	if ((n = pread(fd, text, sizeof(text) - 1, 0)) == -1)
		fatal("the test's clock");
	text[n] = '\0';
	if (sscanf(text, "%lld %lld %lf", &real, &at, &speed) != 3 ||
	    speed < 0)
		fatalx("the test's clock shows \"%s\"", text);
	if (speed > fastest)
		fastest = speed;
	return (at + (int64_t)((double)(real_ms - real) * speed));
}

#endif

void
clock_wait(struct timeval *tv, int64_t ms)
{
#ifdef TEST_CLOCK
	if (clock_file() != -1 && (speed == 0 ||
	    (ms = (int64_t)((double)ms / speed)) > LOOK_MS))
		ms = LOOK_MS;
#endif
	if (ms < 0)
		ms = 0;
	tv->tv_sec = (time_t)(ms / 1000);
	tv->tv_usec = (suseconds_t)(ms % 1000) * 1000;
}

double
clock_speed(void)
{
#ifdef TEST_CLOCK
	return (fastest);
#else
	return (1);
#endif
}
