/* Looks virtual users up from several threads with small stacks, while the snapshot is replaced all the time and the
 * process forks; children close all descriptors and look up again. Other threads are cancelled in the middle of it. No answer
 * may be wrong, nothing may hang or end, and no descriptor may stay open. The snapshot has its copy for the memory of
 * processes, which is replaced as often. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define FORKS 150
#define STACK (64 * 1024)
#define SNAPSHOT "/var/lib/jms/public/users.snap"
#define COPY "/run/jms-keys/users.copy"

typedef enum nss_status by_name(const char *, struct passwd *, char *, size_t, int *);

static atomic_int stop;

static void fail(const char *what)
{
	dprintf(2, "%s (errno %d: %s)\n", what, errno, strerror(errno));
	_exit(1);
}

static void look_up(void)
{
	char buffer[512];
	struct passwd entry, *found = NULL;

	if (getpwnam_r("alice@dev@web1", &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
		fail("alice@dev@web1 was not found");
	if (strcmp(entry.pw_name, "alice@dev@web1") != 0 || entry.pw_uid != 70000 || entry.pw_gid != 998)
		fail("alice@dev@web1 is somebody else");
	found = NULL;
	if (getpwuid_r(70001, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
		fail("uid 70001 was not found");
	if (strcmp(entry.pw_name, "bob") != 0 || entry.pw_gid != 997)
		fail("uid 70001 is somebody else");
	if (getpwnam_r("nosuch", &entry, buffer, sizeof buffer, &found) != 0 || found != NULL)
		fail("nosuch is not simply unknown");
	if (getpwnam_r("alice", &entry, buffer, 16, &found) != ERANGE)
		fail("a small buffer is not ERANGE");
}

static void *reader(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop))
		look_up();
	return NULL;
}

/* Asks the module alone: glibc's own part of a question may keep a socket when its thread is cancelled. */
static void *cancelled(void *question)
{
	by_name *ask = *(by_name **)question;
	char buffer[512];
	struct passwd entry;
	int code;

	for (;;) {
		if (ask("alice", &entry, buffer, sizeof buffer, &code) != NSS_STATUS_SUCCESS || entry.pw_uid != 70000)
			fail("alice was not found");
		pthread_testcancel();
	}
	return NULL;
}

/* The copy of what is published now: a page that says of which file, and its bytes. */
static void copy(const char *content, size_t length)
{
	static union {
		char bytes[4096];
		uint64_t numbers[6];
	} page;
	struct stat status;
	int file = open(COPY ".new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (file < 0 || stat(SNAPSHOT, &status) != 0)
		fail("cannot make a copy");
	memcpy(page.bytes, "JMSNAMES", 8);
	page.numbers[1] = 1;
	page.numbers[2] = status.st_ino;
	page.numbers[3] = (uint64_t)status.st_ctim.tv_sec;
	page.numbers[4] = (uint64_t)status.st_ctim.tv_nsec;
	page.numbers[5] = (uint64_t)status.st_size;
	if (write(file, page.bytes, sizeof page) != sizeof page || write(file, content, length) != (ssize_t)length)
		fail("cannot write a copy");
	if (fchmod(file, 0444) != 0 || close(file) != 0 || rename(COPY ".new", COPY) != 0)
		fail("cannot rename a copy");
}

static int has_mapped(void)
{
	char line[512];
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	if (maps == NULL)
		fail("cannot list what is mapped");
	while (fgets(line, sizeof line, maps) != NULL)
		found += strstr(line, COPY) != NULL;
	fclose(maps);
	return found;
}

/* Publishes the same snapshot again and again, as the bastion does: a new file, renamed over the old one. */
static void *publisher(void *bytes)
{
	size_t length = *(size_t *)bytes;
	const char *content = (const char *)bytes + sizeof length;

	while (!atomic_load(&stop)) {
		int file = open(SNAPSHOT ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (file < 0 || write(file, content, length) != (ssize_t)length || close(file) != 0)
			fail("cannot write a snapshot");
		if (rename(SNAPSHOT ".new", SNAPSHOT) != 0)
			fail("cannot rename a snapshot");
		copy(content, length);
	}
	return NULL;
}

static int open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	if (folder == NULL)
		fail("cannot list descriptors");
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

static void *load(void)
{
	static char bytes[1 << 16];
	int file = open(SNAPSHOT, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, bytes + sizeof(size_t), sizeof bytes - sizeof(size_t));

	if (length <= 0 || close(file) != 0)
		fail("cannot read the snapshot");
	*(size_t *)(void *)bytes = (size_t)length;
	return bytes;
}

int main(void)
{
	pthread_t threads[THREADS + 1];
	pthread_attr_t small;
	int i, status, before;
	by_name *ask;
	void *module = dlopen("libnss_jms.so.2", RTLD_NOW | RTLD_LOCAL);

	alarm(100);
	if (module == NULL || (*(void **)&ask = dlsym(module, "_nss_jms_getpwnam_r")) == NULL)
		fail("the module is not there");
	look_up();
	before = open_descriptors();
	if (pthread_attr_init(&small) != 0 || pthread_attr_setstacksize(&small, STACK) != 0)
		fail("cannot ask for a small stack");
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], &small, reader, NULL) != 0)
			fail("cannot start a thread");
	if (pthread_create(&threads[THREADS], &small, publisher, load()) != 0)
		fail("cannot start the publisher");
	for (i = 0; i < FORKS; i++) {
		pid_t child = fork();
		if (child < 0)
			fail("cannot fork");
		if (child == 0) {
			alarm(20);
			look_up();
			close_range(0, ~0U, 0);
			look_up();
			if (open("/dev/null", O_RDONLY) != 0)
				_exit(2);
			_exit(0);
		}
		if (waitpid(child, &status, 0) != child || status != 0)
			fail("a child failed");
		if (i % 3 == 0) {
			pthread_t victim;
			void *result;
			if (pthread_create(&victim, &small, cancelled, &ask) != 0 || usleep(300) != 0)
				fail("cannot start a thread");
			/* It ends at the first point outside the module where a thread can be. */
			if (pthread_cancel(victim) != 0 || pthread_join(victim, &result) != 0 || result != PTHREAD_CANCELED)
				fail("a thread was not cancelled");
		}
	}
	atomic_store(&stop, 1);
	for (i = 0; i <= THREADS; i++)
		pthread_join(threads[i], NULL);
	look_up();
	/* The last copy, once a second has passed; no other one stays. */
	sleep(2);
	look_up();
	if (has_mapped() != 1)
		fail("not one copy is mapped");
	if (open_descriptors() != before)
		fail("a descriptor stayed open");
	puts("ok");
	fflush(stdout);
	close_range(0, ~0U, 0);
	look_up();
	return 0;
}
