/*
 * Text from strangers, made fit to be shown: UTF-8, no controls, bounded.
 */
#ifndef NETWORK_TEXT_H
#define NETWORK_TEXT_H

#include <stddef.h>

/*
 * Copies the n bytes at src to dst, of size bytes, always terminated.
 * Controls become spaces, what is no UTF-8 becomes "?", and what does not
 * fit is cut between characters.
 */
void	text_clean(char *dst, size_t size, const char *src, size_t n);

/* 1 when the n bytes are valid UTF-8 without a control character. */
int	text_plain(const char *src, size_t n);

/* 1 when text ends in tail; an empty tail is the end of nothing. */
int	text_ends(const char *text, const char *tail);

#endif
