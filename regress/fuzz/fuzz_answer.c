/*
 * Any bytes as a remote's answer.  What comes out must be what answer.h
 * promises, whatever went in.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/network/answer.h"
#include "daemon/network/text.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_list(const char *text, size_t n)
{
	struct answer_list	*l;
	struct answer_row	 row;
	const char		*why = NULL;
	char			 buf[NAME_BYTES];

	if ((l = answer_list_open(text, n, &why)) == NULL) {
		assert(why != NULL);
		return;
	}
	while (answer_list_next(l, &row)) {
		assert(answer_id_ok(row.id));
		assert(row.size >= -1 && row.created_ms >= 0 &&
		    row.uploaded_ms >= 0);
		text_clean(buf, sizeof(buf), row.name, strlen(row.name));
		assert(text_plain(buf, strlen(buf)));
		text_clean(buf, 7, row.description, strlen(row.description));
		assert(strlen(buf) < 7 && text_plain(buf, strlen(buf)));
	}
	assert(answer_list_skipped(l) <= n);
	answer_list_free(l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char	*text, id[REMOTE_ID_BYTES], message[TEXT_BYTES];

	/* Exactly n bytes, so that a read behind them is seen. */
	text = xmalloc(n + (n == 0));
	memcpy(text, data, n);
	if (answer_id(text, n, id) == NULL)
		assert(answer_id_ok(id));
	answer_message(text, n, message, sizeof(message));
	assert(text_plain(message, strlen(message)));
	check_list(text, n);
	free(text);
	return (0);
}
