/* What a program costs that sshd runs for its output: spawned TIMES PROGRAM ARGUMENT…
 *
 * Prints microseconds of processor time of one run, its start included; fails when a run fails or prints nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **argument)
{
	if (count < 3) return 2;
	int times = atoi(argument[1]);
	char *environment[] = { "PATH=/usr/bin:/bin", "LANG=C", NULL };
	for (int i = 0; i < times; i++) {
		int ends[2], status;
		char buffer[4096];
		ssize_t all = 0, length;
		if (pipe(ends)) return 1;
		pid_t child = fork();
		if (child == 0) {
			dup2(ends[1], 1);
			close(ends[0]), close(ends[1]);
			execve(argument[2], argument + 2, environment);
			_exit(127);
		}
		close(ends[1]);
		while ((length = read(ends[0], buffer, sizeof buffer)) > 0) all += length;
		close(ends[0]);
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0 || all == 0) {
			fprintf(stderr, "%s: status %d, %zd bytes\n", argument[2], status, all);
			return 1;
		}
	}
	struct rusage used;
	getrusage(RUSAGE_CHILDREN, &used);
	double user = used.ru_utime.tv_sec * 1e6 + used.ru_utime.tv_usec, system = used.ru_stime.tv_sec * 1e6 + used.ru_stime.tv_usec;
	printf("%.1f\n", (user + system) / times);
	return 0;
}
