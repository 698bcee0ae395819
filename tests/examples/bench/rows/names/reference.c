/* The reference: a name service module that maps a prebuilt hash of names and uids once and never looks at the file again.
 * As a program (reference USERS FILE) it builds that file. */
#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_UID 1000000
#define FILE_PATH "/srv/reference.hash"
struct slot { uint32_t uid; char name[28]; };
struct table { uint32_t mask, users; struct slot slots[]; };
static const struct table *table;

static uint32_t hash(const char *name)
{
	uint32_t state = 2166136261u;
	while (*name) state = (state ^ (unsigned char)*name++) * 16777619u;
	return state ^ state >> 15;
}

static const uint32_t *order(void) { return (const uint32_t *)(table->slots + table->mask + 1); }

static int ready(void)
{
	if (table) return 1;
	struct stat status;
	int file = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &status)) return 0;
	void *map = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	close(file);
	if (map == MAP_FAILED) return 0;
	table = map;
	return 1;
}

static enum nss_status answer(const struct slot *slot, struct passwd *entry, char *buffer, size_t length, int *error)
{
	int need = snprintf(buffer, length, "%s%c*%c%c/home/%s%c/bin/sh", slot->name, 0, 0, 0, slot->name, 0);
	if (need < 0 || (size_t)need >= length) { *error = ERANGE; return NSS_STATUS_TRYAGAIN; }
	size_t name = strlen(slot->name);
	*entry = (struct passwd){ buffer, buffer + name + 1, slot->uid, 100, buffer + name + 3, buffer + name + 4, buffer + name + 11 + name };
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_reference_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t length, int *error)
{
	if (!ready()) { *error = errno; return NSS_STATUS_UNAVAIL; }
	for (uint32_t at = hash(name) & table->mask; table->slots[at].uid; at = (at + 1) & table->mask)
		if (!strcmp(table->slots[at].name, name)) return answer(&table->slots[at], entry, buffer, length, error);
	*error = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_reference_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t length, int *error)
{
	if (!ready()) { *error = errno; return NSS_STATUS_UNAVAIL; }
	if (uid - FIRST_UID < table->users) return answer(&table->slots[order()[uid - FIRST_UID]], entry, buffer, length, error);
	*error = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

int main(int count, char **argument)
{
	if (count != 3) return 2;
	uint32_t users = atoi(argument[1]), size = 16;
	while (size < 2 * users) size *= 2;
	size_t bytes = sizeof(struct table) + size * sizeof(struct slot) + users * sizeof(uint32_t);
	struct table *made = calloc(1, bytes);
	made->mask = size - 1, made->users = users;
	uint32_t *order = (uint32_t *)(made->slots + size);
	for (uint32_t i = 0; i < users; i++) {
		char name[28];
		snprintf(name, sizeof name, "user%u", i);
		uint32_t at = hash(name) & made->mask;
		while (made->slots[at].uid) at = (at + 1) & made->mask;
		made->slots[at].uid = FIRST_UID + i;
		strcpy(made->slots[at].name, name);
		order[i] = at;
	}
	FILE *file = fopen(argument[2], "w");
	return !file || fwrite(made, bytes, 1, file) != 1 || fclose(file);
}
