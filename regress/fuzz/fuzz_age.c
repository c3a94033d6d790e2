/*
 * An age file of arbitrary bytes, for an identity that the seeds were
 * encrypted to; the first byte says in which pieces it comes.
 */
#include <stdint.h>
#include <string.h>

#include "daemon/worker/age.h"
#include "daemon/worker/worker.h"

#define IDENTITY	"AGE-SECRET-KEY-18M2DL8TCCY70TGQ8KULMX37S7F5SATCVDR43" \
			"NTPKQ55FV942YMCQ4VRAZ9"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t		 keys[AGE_IDENTITIES][AGE_KEY_BYTES];
	static int		 n;
	struct stream_file	 file;
	struct stream		*s;
	struct m_error		 e;
	size_t			 step, part;
	int			 rv = 0;

	if (n == 0 && (age_crypto_init() == -1 ||
	    (n = age_identities(IDENTITY, keys)) != 1))
		__builtin_trap();
	if (size < 1)
		return (0);
	step = (size_t)data[0] * data[0] + 1;
	data++, size--;
	memset(&e, 0, sizeof(e));
	stream_file_init(&file, -1);
	s = age_unpack((const uint8_t (*)[AGE_KEY_BYTES])keys, 1,
	    &file.stream);
	for (; rv == 0 && size > 0; data += part, size -= part) {
		part = size < step ? size : step;
		rv = s->put(s, data, part, &e);
	}
	if (rv == 0)
		rv = s->end(s, &e);
	age_free(s);
	if ((rv == -1) != (e.code != E_NONE) || !msg_text_ok(e.text))
		__builtin_trap();
	return (0);
}
