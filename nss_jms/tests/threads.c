/* Looks virtual users up from several threads with small stacks, while the snapshot is replaced all the time and the
 * process forks; children close all descriptors and look up again. Other threads are cancelled in the middle of it. No answer
 * may be wrong, nothing may hang or end, and no descriptor may stay open. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define FORKS 150
#define STACK (64 * 1024)
#define SNAPSHOT "/var/lib/jms/public/users.snap"

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

static void *cancelled(void *unused)
{
	(void)unused;
	for (;;) {
		look_up();
		pthread_testcancel();
	}
	return NULL;
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

	alarm(100);
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
			if (pthread_create(&victim, &small, cancelled, NULL) != 0 || usleep(300) != 0)
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
	if (open_descriptors() != before)
		fail("a descriptor stayed open");
	puts("ok");
	fflush(stdout);
	close_range(0, ~0U, 0);
	look_up();
	return 0;
}
