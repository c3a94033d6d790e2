/*
 * Leases: the only way in which the kernel tells whether anybody can
 * still write to a file (H14).
 */
#ifndef COMMON_LEASE_H
#define COMMON_LEASE_H

/*
 * fd is a regular file of ours, open for reading only.  Takes a read
 * lease and gives it back at once: 1 nobody has it open for writing or
 * mapped writable, 0 somebody has, -1 its file system knows no leases, or
 * the file is not ours (errno says).
 */
int	lease_read_held(int fd);

#endif
