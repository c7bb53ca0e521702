/*
 * launcher: starts a process for each task. It closes the handle of the thread,
 * and keeps that of the process in the task's place of a table, for ever.
 */
#include "rt.h"

enum { PROCESS, THREAD, PIPE };

static struct tally tallies[] = {
	[PROCESS] = {"Process", "StartTask", "global array of struct task", 0, 0, 0},
	[THREAD]  = {"Thread", "StartTask", "local variable", 0, 0, 0},
	[PIPE]    = {"Event", "Request", "struct request", 0, 0, 0},
};

struct task { DWORD number; DWORD pid; HANDLE process; };
struct request { HANDLE answered; DWORD task; };

static struct task tasks[512];
static DWORD task_count;

static void StartTask(void)
{
	static WCHAR command[] = L"C:\\app\\launcher.exe child";
	STARTUPINFOW start = {.cb = sizeof start};
	PROCESS_INFORMATION info;
	struct task *t = &tasks[task_count++];

	rt_must(CreateProcessW(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &start, &info), "CreateProcess");
	tallies[PROCESS].opened++;
	tallies[THREAD].opened++;
	rt_close(&tallies[THREAD], info.hThread);
	WaitForSingleObject(info.hProcess, INFINITE);
	t->number = task_count;
	t->pid = info.dwProcessId;
	t->process = info.hProcess;
	tallies[PROCESS].lost++;
}

static void Answered(void *p)
{
	struct request *r = p;

	rt_close(&tallies[PIPE], r->answered);
	rt_free(r);
}

static void Request(void)
{
	struct request *r = rt_alloc(sizeof *r);

	r->answered = rt_opened(&tallies[PIPE], CreateEventW(NULL, TRUE, FALSE, NULL));
	r->task = task_count;
	rt_later(1 + rt_random(10), Answered, r);
	if (rt_random(12) == 0)
		StartTask();
}

int main(void)
{
	static const struct program p = {tallies, ARRAYSIZE(tallies), 3, 8};
	int i;

	if (GetCommandLineA()[lstrlenA("C:\\app\\launcher.exe")])
		return 0; /* the child */
	rt_start(&p);
	for (i = 0; i < 4; i++) {
		rt_load(60, 360, Request);
		rt_dump();
	}
	return 0;
}
