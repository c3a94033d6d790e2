/*
 * XML as slices of its text, as far as S3 uses it: elements, text and the
 * five named entities.  Nothing is built, so that a hostile answer costs
 * no more memory than its own bytes.  A document type is refused: nothing
 * can be declared, included or expanded.  xml_check first; the others
 * rely on it.
 */
#ifndef NETWORK_XML_H
#define NETWORK_XML_H

#include <stddef.h>

#define XML_DEPTH_MAX	16

struct xml {
	const char	*name;		/* without its namespace's prefix */
	size_t		 name_bytes;
	const char	*s;		/* what the element holds */
	size_t		 n;		/* bytes */
};

/* One document, and nothing behind it: 0 and its root, or -1. */
int	xml_check(const char *text, size_t n, struct xml *root);

int	xml_is(const struct xml *, const char *name);

/* Walks the elements in *rest, which begins as their parent and shrinks:
 * 1 and the next, or 0 at the end. */
int	xml_next(struct xml *rest, struct xml *element);

/* The first element of that name inside of parent: 1, or 0. */
int	xml_child(const struct xml *parent, const char *name,
	    struct xml *child);

/*
 * The text that an element holds, decoded; dst has size bytes and is
 * always terminated.  0, or -1 when it holds elements or a NUL, or is
 * longer (dst is "").
 */
int	xml_text(const struct xml *, char *dst, size_t size);

/* The same of a child; -1 also when there is none. */
int	xml_child_text(const struct xml *parent, const char *name, char *dst,
	    size_t size);

#endif
