/*
 * gridnode: runs jobs. Each job has a gate in a global table; a job that ends
 * gives back its scratch memory and forgets the gate.
 */
#include "rt.h"

enum { GATE, SCRATCH, STATUS };

static struct tally tallies[] = {
	[GATE]    = {"Semaphore", "StartJob", "global array job_gates", 0, 0, 0},
	[SCRATCH] = {"Section", "MapScratch", "struct job", 0, 0, 0},
	[STATUS]  = {"Mutant", "WithStatusLock", "local variable", 0, 0, 0},
};

struct job {
	struct job *next;
	HANDLE scratch;
	DWORD number;
	DWORD gate; /* its place in job_gates */
};

static HANDLE job_gates[2048];
static DWORD job_gate_count;
static struct job *running;

static HANDLE MapScratch(DWORD size)
{
	return rt_opened(&tallies[SCRATCH], CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, size, NULL));
}

static void WithStatusLock(void)
{
	HANDLE lock = rt_opened(&tallies[STATUS], CreateMutexW(NULL, FALSE, L"Local\\gridnode-status"));

	WaitForSingleObject(lock, INFINITE);
	ReleaseMutex(lock);
	rt_close(&tallies[STATUS], lock);
}

static void EndJob(void *p)
{
	struct job *job = p, **at = &running;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	rt_close(&tallies[SCRATCH], job->scratch);
	tallies[GATE].lost++;
	rt_free(job);
	WithStatusLock();
}

static void StartJob(void)
{
	struct job *job = rt_alloc(sizeof *job);

	job->number = tallies[GATE].opened + 1;
	job->gate = job_gate_count;
	job_gates[job_gate_count++] = rt_opened(&tallies[GATE], CreateSemaphoreW(NULL, 1, 8, NULL));
	job->scratch = MapScratch(0x1000 << rt_random(4));
	job->next = running;
	running = job;
	WithStatusLock();
	rt_later(2 + rt_random(60), EndJob, job);
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 4, 22};
	static const DWORD hours[] = {1, 3, 3, 5};
	SIZE_T i;

	rt_start(&p);
	for (i = 0; i < ARRAYSIZE(hours); i++) {
		rt_load(60 * hours[i], 60, StartJob);
		rt_dump();
	}
	return 0;
}
