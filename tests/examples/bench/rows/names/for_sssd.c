/* What sssd's proxy asks of a name service module beside names and uids: no listing, no groups. */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stddef.h>

#define NOTHING(function, ...) \
	enum nss_status _nss_reference_##function(__VA_ARGS__) { return NSS_STATUS_SUCCESS; }
#define NOT_FOUND(function, ...) \
	enum nss_status _nss_reference_##function(__VA_ARGS__, char *buffer, size_t length, int *error) \
	{ (void)buffer, (void)length, *error = ENOENT; return NSS_STATUS_NOTFOUND; }

NOTHING(setpwent, void)
NOTHING(endpwent, void)
NOTHING(setgrent, void)
NOTHING(endgrent, void)
NOT_FOUND(getpwent_r, struct passwd *entry)
NOT_FOUND(getgrent_r, struct group *entry)
NOT_FOUND(getgrnam_r, const char *name, struct group *entry)
NOT_FOUND(getgrgid_r, gid_t gid, struct group *entry)
