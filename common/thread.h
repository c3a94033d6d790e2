/*
 * Threads: one file per system, thread_SYSTEM.c.
 */
#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

/* The calling thread, and no other, gives way to whoever else wants the
 * processor, from now on.  Where a system knows only whole processes,
 * nothing happens. */
void	thread_give_way(void);

/*
 * on: the calling thread computes for long at a time, and whoever wakes for
 * a moment may interrupt it at once, instead of waiting until its turn is
 * over.  What it gets in all stays the same.  Threads that it starts
 * inherit it.  Where a system has no such thing nothing happens.
 */
void	thread_long_turns(int on);

#endif
