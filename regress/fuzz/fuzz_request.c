/*
 * A fuzzer of the front's reader of JSON bodies (libFuzzer).  Beside what
 * the sanitizers see it checks that a message that was filled is one that
 * the engine would take, and that what was refused has a reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/front/request.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
text_promise(const char *text, size_t size)
{
	size_t	n = strnlen(text, size);

	if (n == size || !util_utf8_valid(text, n))
		abort();
}

static void
restore_promise(const char *text, size_t n)
{
	struct m_req_restore	req;
	struct refusal		refusal;

	memset(&req, 0, sizeof(req));
	memset(&refusal, 0, sizeof(refusal));
	if (request_restore(text, n, &req, &refusal) == -1) {
		text_promise(refusal.text, sizeof(refusal.text));
		if (refusal.text[0] == '\0')
			abort();
		return;
	}
	text_promise(req.database, sizeof(req.database));
	text_promise(req.user.id, sizeof(req.user.id));
	if ((req.flags & ~(uint32_t)RESTORE_FORCE) != 0 ||
	    req.user.kind > USER_NUMBER)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct m_req_create	req;
	struct m_user		user;
	struct refusal		refusal;
	char			*text;

	/* Memory that ends where the body does. */
	if ((text = malloc(n + 1)) == NULL)
		abort();
	memcpy(text, data, n);
	text[n] = '\0';
	if (request_user(text, &user) == 0)
		text_promise(user.id, strlen(text) + 1);
	if ((text = realloc(text, n > 0 ? n : 1)) == NULL)
		abort();
	memset(&req, 0, sizeof(req));
	memset(&refusal, 0, sizeof(refusal));
	if (request_create(text, n, &req, &refusal) == -1) {
		if (refusal.code != E_INVALID_JSON &&
		    refusal.code != E_INVALID_PARAMETER)
			abort();
		if (refusal.text[0] == '\0')
			abort();
	} else {
		text_promise(req.name, sizeof(req.name));
		text_promise(req.description, sizeof(req.description));
		text_promise(req.database, sizeof(req.database));
		text_promise(req.user.id, sizeof(req.user.id));
		if (req.user.kind > USER_NUMBER ||
		    (req.user.kind == USER_NONE) != (req.user.id[0] == '\0'))
			abort();
	}
	restore_promise(text, n);
	free(text);
	return (0);
}
