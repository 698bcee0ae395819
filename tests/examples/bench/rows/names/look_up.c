/* How long a name service module takes, asked as glibc asks it: look_up MODULE PREFIX WHAT USERS HOT COUNT
 *
 * WHAT: name, uid (HOT users in turn), random (any of USERS), miss, first (one call in this fresh process, loading included).
 * Prints nanoseconds of this thread's processor time for one call; fails when an answer is not the right one. */
#include <dlfcn.h>
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_UID 1000000

typedef enum nss_status by_name(const char *, struct passwd *, char *, size_t, int *);
typedef enum nss_status by_uid(uid_t, struct passwd *, char *, size_t, int *);

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void *symbol(void *module, const char *prefix, const char *function)
{
	char name[128];
	snprintf(name, sizeof name, "_nss_%s_%s", prefix, function);
	void *found = dlsym(module, name);
	if (!found) { fprintf(stderr, "no %s\n", name); exit(1); }
	return found;
}

int main(int count, char **argument)
{
	if (count != 7) return 2;
	const char *what = argument[3];
	unsigned users = atoi(argument[4]), hot = atoi(argument[5]), calls = atoi(argument[6]);
	char (*names)[24] = calloc(hot, sizeof *names);
	unsigned *numbers = calloc(hot, sizeof *numbers);
	int random = !strcmp(what, "random"), miss = !strcmp(what, "miss"), uid = !strcmp(what, "uid");
	unsigned step = random ? 2654435761u : users / hot ? users / hot : 1;
	for (unsigned i = 0; i < hot; i++) {
		numbers[i] = (unsigned)((unsigned long long)i * step % users);
		snprintf(names[i], sizeof names[i], miss ? "nobody%u" : "user%u", numbers[i]);
	}
	struct passwd entry;
	char buffer[1024];
	int error;
	double begun = now();
	void *module = dlopen(argument[1], RTLD_NOW);
	if (!module) { fprintf(stderr, "%s\n", dlerror()); return 1; }
	by_name *name = (by_name *)symbol(module, argument[2], "getpwnam_r");
	by_uid *number = (by_uid *)symbol(module, argument[2], "getpwuid_r");
	if (!strcmp(what, "first")) {
		if (name(names[0], &entry, buffer, sizeof buffer, &error) != NSS_STATUS_SUCCESS) return 1;
		printf("%.1f\n", now() - begun);
		return 0;
	}
	for (int warm = 1; warm >= 0; warm--) {
		begun = now();
		for (unsigned i = 0, at = 0; i < (warm ? (hot < 2000 ? hot : 2000) : calls); i++, at = at + 1 < hot ? at + 1 : 0) {
			enum nss_status status = uid
				? number(FIRST_UID + numbers[at], &entry, buffer, sizeof buffer, &error)
				: name(names[at], &entry, buffer, sizeof buffer, &error);
			if (status != (miss ? NSS_STATUS_NOTFOUND : NSS_STATUS_SUCCESS)) {
				fprintf(stderr, "%s: status %d, errno %d\n", names[at], status, error);
				return 1;
			}
			if (!miss && entry.pw_uid != FIRST_UID + numbers[at]) return 1;
		}
	}
	printf("%.1f\n", (now() - begun) / calls);
	return 0;
}
