/*
 * The engine runs this: where the age identity for an encrypted backup
 * comes from.  It keeps none: who asked for it wipes it when the backup is
 * open.  The text is not understood here, only passed on.
 */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/restore.h"

int
identity_load(const char *path, char *dst, char *err)
{
	struct conf_text	t;
	char			why[CONF_WHY_BYTES];

	if (conf_file_read(path, CONF_FILE_OWNER | CONF_FILE_SECRET,
	    IDENTITY_BYTES - 1, &t, why) == -1) {
		snprintf(err, TEXT_BYTES, "the identity file %.200s %s", path,
		    why);
		return (-1);
	}
	if (strlen(t.data) != t.size || t.size == 0) {
		snprintf(err, TEXT_BYTES, "the identity file %.200s holds no "
		    "text", path);
		conf_text_free(&t);
		return (-1);
	}
	memcpy(dst, t.data, t.size + 1);
	conf_text_free(&t);
	return (0);
}

int
restore_identity(struct engine *e, uint64_t request,
    const struct m_req_restore *m, const struct conf_database *d,
    struct restoring *r)
{
	const char	*path = d->identity_file;
	char		 err[TEXT_BYTES];

	if (m->identity[0] != '\0') {
		strlcpy(r->identity, m->identity, sizeof(r->identity));
		return (0);
	}
	if (m->identity_file[0] != '\0') {
		if (!rights_daemon_user(e, &m->asker)) {
			reply_error(e, request, E_FORBIDDEN, r->backup.id,
			    "an identity file can only be named by root and "
			    "the user who runs the daemon; send the identity "
			    "itself");
			return (-1);
		}
		path = m->identity_file;
		if (path[0] != '/')
			strlcpy(err, "the identity file's path must begin "
			    "with a slash", sizeof(err));
		else if (identity_load(path, r->identity, err) == 0)
			return (0);
		reply_error(e, request, E_INVALID_PARAMETER, r->backup.id,
		    err);
		return (-1);
	}
	/* Only what is encrypted needs it, and says so then. */
	if (path != NULL && identity_load(path, r->identity, err) == -1)
		log_warnx("database %s: %s", d->name, err);
	return (0);
}
