/* Loads the module itself and prints the status of four questions: a user, a name that is not there, a name that cannot be
 * ours, and a buffer that is too small. Checks *errnop of each. */
#include <dlfcn.h>
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum nss_status by_name(const char *, struct passwd *, char *, size_t, int *);

static void ask(by_name *question, const char *name, size_t size)
{
	static char buffer[1024];
	struct passwd entry;
	int code = -1;
	enum nss_status status;

	errno = 4242;
	status = question(name, &entry, buffer, size, &code);
	if (errno != 4242)
		abort();
	switch (status) {
	case NSS_STATUS_SUCCESS:
		if (code != 0)
			abort();
		puts("success");
		break;
	case NSS_STATUS_NOTFOUND:
		if (code != ENOENT)
			abort();
		puts("not found");
		break;
	case NSS_STATUS_TRYAGAIN:
		if (code != ERANGE)
			abort();
		puts("try again");
		break;
	case NSS_STATUS_UNAVAIL:
		if (code <= 0 || code == ERANGE)
			abort();
		puts("unavailable");
		break;
	default:
		abort();
	}
}

int main(void)
{
	void *module = dlopen("libnss_jms.so.2", RTLD_NOW | RTLD_LOCAL);
	by_name *question;

	if (module == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&question = dlsym(module, "_nss_jms_getpwnam_r");
	if (question == NULL)
		return 1;
	ask(question, "alice", 1024);
	ask(question, "nosuch", 1024);
	ask(question, "Alice", 1024);
	ask(question, "alice", 10);
	return 0;
}
