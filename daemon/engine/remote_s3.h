/*
 * What the engine does for S3 remotes besides what it does for all: their
 * credentials to network, keys and manifests of uploads, uploads in parts
 * that go on, recovery of a catalog from a bucket.
 */
#ifndef ENGINE_REMOTE_S3_H
#define ENGINE_REMOTE_S3_H

#include "daemon/engine/engine.h"

/* NET_S3, after the remote's NET_REMOTE. */
void	s3_conf_send(struct engine *, const struct conf_remote *);

/*
 * A key of a bucket is known to clients and in the catalog with ":" for the
 * slash, so that it is one segment of a path.  dst has REMOTE_ID_BYTES.
 */
void	s3_id_of_key(char *dst, const char *key);
void	s3_key_of_id(char *dst, const char *remote_id);

/* Fills what NET_UPLOAD has for S3 and sends the manifest that goes before
 * it, with the same transfer's number. */
void	s3_upload_fill(struct engine *, const struct conf_remote *,
	    const struct m_backup *, uint64_t transfer, struct m_net_upload *);

/* An upload in parts has begun; how an upload ended. */
void	s3_multipart(struct engine *, const struct conf_remote *,
	    int64_t backup_id, const struct m_net_multipart *);
void	s3_uploaded(struct engine *, const struct conf_remote *,
	    int64_t backup_id, const struct m_net_uploaded *);

/* The copy of a backup at a remote is given up: the parts that are there
 * already are taken back. */
void	s3_give_up(struct engine *, const struct conf_remote *,
	    const struct m_backup *);

/* ---- requests_remote.c: handlers of front's messages ---- */

void	request_known(struct engine *, const struct msg *);
void	request_refresh(struct engine *, const struct msg *);
void	request_remote_test(struct engine *, const struct msg *);

/* ---- recover.c ---- */

/* At start: when the catalog is empty, buckets are asked. */
void	recover_init(struct engine *);

/* Every bucket is listed; what is proven ours and not known gets a row, the
 * rest is told to front: REP_REFRESH_ROW each, REP_REFRESH_END. */
void	recover_request(struct engine *, uint64_t request,
	    const struct m_user *);

/* NET_MANIFEST_ROW, NET_LIST_END: 1, or 0 when it is another message. */
int	recover_message(struct engine *, const struct msg *);

/* ---- remote_test.c ---- */

/* REP_TEST_ROW each, REP_TEST_END. */
void	remote_test_request(struct engine *, uint64_t request,
	    const struct conf_remote *);
/* NET_TEST_ROW, NET_TEST_END: as above. */
int	remote_test_message(struct engine *, const struct msg *);

/* ---- remote_costs.c ---- */

/* What a remote has cost since network has started; zeros: nothing. */
void	remote_costs(const struct conf_remote *, struct m_net_costs *);
/* NET_COSTS: as above. */
int	remote_costs_message(const struct msg *);
void	remote_costs_free(void);

#endif
