/*
 * What the network process needs from the file system, taken while it can.
 */
#ifndef NETWORK_JAIL_H
#define NETWORK_JAIL_H

/*
 * Reads this system's CA certificates into memory, for good; without any,
 * says so in the log (https then fails, and says why).
 */
void	jail_load_certificates(void);

/*
 * Makes dir and dir/etc, with copies of the files by which names are
 * resolved; dir's parent must be there.  Needs root; failure is fatal.
 */
void	jail_prepare(const char *dir);

/*
 * Confines the process to reading: what is in root, or when that is NULL
 * (we are no root's) the resolver's files and libraries.  The last step.
 * Failure is fatal.
 */
void	jail_confine(const char *root);

#endif
