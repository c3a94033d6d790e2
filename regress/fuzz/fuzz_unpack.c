/*
 * A stored backup of arbitrary bytes, in the form that the first byte says,
 * or in that which it is itself; no more than a megabyte may come of it.
 */
#include <stdint.h>
#include <string.h>

#include "daemon/worker/unpack.h"
#include "daemon/worker/worker.h"

#define OUT_MAX	1000000

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t	 forms[] = { FORM_UNKNOWN, FORM_ZSTD, 0,
				    FORM_UNKNOWN };
	struct stream_file	 file;
	struct stream		*s;
	struct m_error		 e;
	size_t			 step, part;
	int			 rv = 0;

	if (size < 1)
		return (0);
	step = (size_t)(data[0] >> 2) * 16 + 1;
	memset(&e, 0, sizeof(e));
	stream_file_init(&file, -1);
	file.size_max = OUT_MAX;
	file.code = E_INVALID_BACKUP;
	file.what = "too much";
	s = unpack_new(forms[data[0] & 3], NULL, 0, &file.stream);
	data++, size--;
	for (; rv == 0 && size > 0; data += part, size -= part) {
		part = size < step ? size : step;
		rv = s->put(s, data, part, &e);
	}
	if (rv == 0)
		rv = s->end(s, &e);
	unpack_free(s);
	if ((rv == -1) != (e.code != E_NONE) || file.size > OUT_MAX ||
	    !msg_text_ok(e.text))
		__builtin_trap();
	return (0);
}
