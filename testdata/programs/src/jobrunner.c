/* jobrunner: a thread for each job. The handle of a job that nobody waits for is dropped. */
#include "rt.h"

enum { WAITED, DETACHED, RESULT };

static struct tally tallies[] = {
	[WAITED]   = {"Thread", "StartThread RunAndWait", "local variable", 0, 0, 0},
	[DETACHED] = {"Thread", "StartThread RunDetached", "nobody", 0, 0, 0},
	[RESULT]   = {"Semaphore", "KeepResult", "struct result", 0, 0, 0},
};

struct result { DWORD code; HANDLE read; };

static DWORD WINAPI JobMain(void *p)
{
	return (DWORD)(ULONG_PTR)p % 10;
}

static HANDLE StartThread(DWORD job)
{
	return CreateThread(NULL, 0, JobMain, (void *)(ULONG_PTR)job, 0, NULL);
}

static void ResultRead(void *p)
{
	struct result *r = p;

	rt_close(&tallies[RESULT], r->read);
	rt_free(r);
}

static void KeepResult(DWORD code)
{
	struct result *r = rt_alloc(sizeof *r);

	r->code = code;
	r->read = rt_opened(&tallies[RESULT], CreateSemaphoreW(NULL, 0, 1, NULL));
	rt_later(5 + rt_random(30), ResultRead, r);
}

static void RunAndWait(DWORD job)
{
	HANDLE thread = rt_opened(&tallies[WAITED], StartThread(job));
	DWORD code = 0;

	WaitForSingleObject(thread, INFINITE);
	GetExitCodeThread(thread, &code);
	rt_close(&tallies[WAITED], thread);
	KeepResult(code);
}

/* The wait is there for the dumps alone: they show no thread that is about to end. */
static void RunDetached(DWORD job)
{
	HANDLE thread = rt_opened(&tallies[DETACHED], StartThread(job));

	WaitForSingleObject(thread, INFINITE);
	tallies[DETACHED].lost++;
}

static void Job(void)
{
	static DWORD job;

	if (rt_random(100) < 22)
		RunDetached(++job);
	else
		RunAndWait(++job);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 13};
	int i;

	rt_start(&p);
	for (i = 0; i < 4; i++) {
		rt_load(120, 150, Job);
		rt_dump();
	}
	return 0;
}
