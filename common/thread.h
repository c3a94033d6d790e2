/*
 * Threads: one file per system, thread_SYSTEM.c.
 */
#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

/* The calling thread, and no other, gives way to whoever else wants the
 * processor, from now on.  Where a system knows only whole processes,
 * nothing happens. */
void	thread_give_way(void);

#endif
