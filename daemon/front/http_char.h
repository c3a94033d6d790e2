/*
 * Classes of characters of HTTP, for the files of the parser (http_*.c)
 * only.  Not those of <ctype.h>: they change with the locale.
 */
#ifndef FRONT_HTTP_CHAR_H
#define FRONT_HTTP_CHAR_H

#include <string.h>

static inline int
char_digit(unsigned char c)
{
	return (c >= '0' && c <= '9');
}

static inline int
char_alnum(unsigned char c)
{
	return (char_digit(c) || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z'));
}

/* tchar of RFC 9110, 5.6.2: methods and field names. */
static inline int
char_token(unsigned char c)
{
	return (char_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL));
}

/* 0 to 15, or -1. */
static inline int
char_hex(unsigned char c)
{
	if (char_digit(c))
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

static inline int
char_control(unsigned char c)
{
	return (c < 0x20 || c == 0x7f);
}

static inline int
char_blank(unsigned char c)
{
	return (c == ' ' || c == '\t');
}

static inline unsigned char
char_lower(unsigned char c)
{
	return (c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c);
}

#endif
