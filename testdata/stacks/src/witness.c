/*
 * stacks.exe: runs the chains of the libraries, each twice in a thread of its own.
 * The first thread is stepped through, instruction by instruction, and its calls and
 * returns are written down: that is the truth. The second is let alone until it waits
 * at the same place; that the first's return addresses stand at the same distances from the
 * end of its stack is checked. Then all memory is dumped (stacks.dmp) and the truth
 * written (truth.tsv). The thread of the last chain named "crash" has the exception of the dump.
 */
#define _WIN32_WINNT 0x0600
#include <windows.h>
#include <dbghelp.h>
#include <stdio.h>
#include "chains.h"

#ifdef _WIN64
#define PC(c) ((c)->Rip)
#define SP(c) ((c)->Rsp)
#define F "%016llx"
#else
#define PC(c) ((c)->Eip)
#define SP(c) ((c)->Esp)
#define F "%08x"
#endif

enum { DEPTH = 400, SNAPSHOTS = 2000, THREADS = 200 };

/* A return address on the stack. */
struct entry { word slot, pc; };
struct snapshot { word pc, sp; int n; struct entry stack[DEPTH]; };

static struct trace {
	DWORD id, begin; /* the thread that is stepped through, and the one that begins with that itself */
	word base; /* the end of the stack */
	word pc, sp; /* before the last step */
	int n, count, steps;
	volatile BOOL ended; /* the thread is done: it goes on without steps */
	struct entry stack[DEPTH];
	struct snapshot *snapshots;
} trace;

/* What is on the stack when a thread comes to run: slots are distances from the end of the stack.
 * The first thread is stepped through from its start, which takes long, to know that. */
static struct entry outer[16];
static int n_outer;

static volatile unsigned milliseconds;
static DWORD WINAPI run(void *p);

static struct witness {
	const char *library, *chain;
	DWORD id;
	HANDLE thread;
	word base;
	struct snapshot found;
} witnesses[THREADS];
static int n_witnesses;
static volatile DWORD crashing;
static EXCEPTION_POINTERS *volatile crashed;

static void fail(const char *what, const char *name)
{
	printf("%s: %s\n", name, what);
	fflush(stdout);
	ExitProcess(1);
}

static void push(word slot, word pc)
{
	struct entry e = {slot, pc};
	if (trace.n == DEPTH)
		fail("too deep", "trace");
	trace.stack[trace.n++] = e;
}

static void snapshot(word pc, word sp)
{
	struct snapshot *s = &trace.snapshots[trace.count % SNAPSHOTS];
	trace.count++;
	s->pc = pc;
	s->sp = sp;
	s->n = trace.n;
	memcpy(s->stack, trace.stack, trace.n * sizeof *trace.stack);
}

/* The instruction goes to Wine's side of the system, where there is no stepping. A thread that
 * waits there is shown behind the system call of Windows that stands beside it. */
static void system_call(word pc, word sp)
{
	const BYTE *p = (const BYTE *)pc;
#ifdef _WIN64
	if (!memcmp(p, "\xff\x14\x25\x00\x10\xfe\x7f", 7)) /* call [0x7ffe1000] */
		snapshot(pc - 4, sp);
	else if (!memcmp(p, "\x0f\x05\xc3", 3)) /* syscall; ret */
		snapshot(pc + 2, sp);
#else
	if (!memcmp(p, "\xff\xd2\xc2", 3) && p[-5] == 0xba && p[-10] == 0xb8) /* mov eax, number; mov edx, ...; call edx; ret */
		snapshot(pc + 2, sp);
#endif
}

static LONG CALLBACK step(EXCEPTION_POINTERS *e)
{
	CONTEXT *c = e->ContextRecord;
	word pc = PC(c), sp = SP(c);

	if (crashing == GetCurrentThreadId() && e->ExceptionRecord->ExceptionCode == EXCEPTION_ACCESS_VIOLATION) {
		crashed = e;
		Sleep(INFINITE);
	}
	if (trace.id != GetCurrentThreadId())
		return EXCEPTION_CONTINUE_SEARCH;
	while (trace.n && trace.stack[trace.n - 1].slot < sp)
		trace.n--;
	trace.steps++;
	if (e->ExceptionRecord->ExceptionCode != EXCEPTION_SINGLE_STEP) {
		snapshot(pc, sp);
		ExitThread(0); /* how the system gets from here to a handler cannot be stepped through */
	}
	/* What makes room for large frames on x86 returns with the stack pointer below. */
	if (trace.n && pc == trace.stack[trace.n - 1].pc)
		trace.n--;
	if (trace.pc && sp == trace.sp - sizeof(word)) {
		word target = *(word *)sp;
		if (target > trace.pc + 1 && target < trace.pc + 9)
			push(sp, target);
	}
	system_call(pc, sp);
	if (!n_outer && pc == (word)run)
		for (; n_outer < trace.n; n_outer++) {
			outer[n_outer] = trace.stack[n_outer];
			outer[n_outer].slot -= trace.base;
		}
	trace.pc = pc;
	trace.sp = sp;
	if (!trace.ended)
		c->EFlags |= 0x100;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static DWORD WINAPI run(void *p)
{
	DWORD result;
	int i;

	if (trace.begin == GetCurrentThreadId()) {
		for (i = 0; i < n_outer; i++)
			push(trace.base + outer[i].slot, outer[i].pc);
		trace.id = trace.begin;
#ifdef _WIN64
		__asm__ volatile("pushfq; orl $0x100, (%rsp); popfq");
#else
		__asm__ volatile("pushfl; orl $0x100, (%esp); popfl");
#endif
	}
	result = ((const struct chain *)p)->run(3);
	trace.ended = TRUE;
	return result;
}

struct basic { LONG status; BYTE *teb; word id[2], mask; LONG priority[2]; };
LONG WINAPI NtQueryInformationThread(HANDLE, int, void *, ULONG, ULONG *);

static word stack_base(HANDLE thread)
{
	struct basic b = {0};
	while (!b.teb) /* the thread is only coming to be */
		if (NtQueryInformationThread(thread, 0, &b, sizeof b, NULL))
			fail("no base", "stack");
	return *(word *)(b.teb + sizeof(word));
}

static HANDLE start(const struct chain *chain, DWORD *id, BOOL stepping)
{
	CONTEXT c = {.ContextFlags = CONTEXT_FULL};
	HANDLE thread = CreateThread(NULL, 0, run, (void *)chain, CREATE_SUSPENDED, id);
	if (stepping) {
		Sleep(20);
		trace.n = trace.count = trace.steps = 0;
		trace.pc = 0;
		trace.ended = FALSE;
		trace.base = stack_base(thread);
		trace.begin = n_outer ? *id : 0;
		trace.id = n_outer ? 0 : *id;
		if (!n_outer && GetThreadContext(thread, &c)) {
			c.EFlags |= 0x100;
			SetThreadContext(thread, &c);
		}
	}
	return thread;
}

/* in_handler says that the thread waits in the handler of an exception: only what was before that is known. */
static BOOL in_handler(const struct witness *w)
{
	return !strcmp(w->chain, "handled");
}

/* find looks for the state in which the thread is now among those of the first one. */
static BOOL find(struct witness *w)
{
	CONTEXT c = {.ContextFlags = CONTEXT_FULL};
	BOOL found = FALSE;
	int i, j;

	SuspendThread(w->thread);
	if (GetThreadContext(w->thread, &c)) {
		word pc = PC(&c), sp = SP(&c);
		if (crashed && crashing == w->id) {
			pc = PC(crashed->ContextRecord);
			sp = SP(crashed->ContextRecord);
		}
		for (i = min(trace.count, SNAPSHOTS); i-- > 0 && !found;) {
			struct snapshot *s = &trace.snapshots[i];
			word moved = w->base - trace.base;
			if (in_handler(w)) /* the exception is the last that was seen */
				found = i == trace.count - 1;
			else
				found = s->pc == pc && s->sp + moved == sp;
			if (!found)
				continue;
			w->found = *s;
			w->found.sp = s->sp + moved;
			for (j = 0; j < s->n; j++) {
				struct entry *e = &w->found.stack[j];
				e->slot += moved;
				if (*(word *)e->slot != e->pc)
					found = FALSE;
			}
		}
	}
	ResumeThread(w->thread);
	return found;
}

/* take runs a chain twice, and says whether the second thread waits where the first one did. */
static BOOL take(struct witness *w, const struct chain *chain)
{
	DWORD id;
	HANDLE first;
	int i, stays = 0;

	milliseconds = 1;
	first = start(chain, &id, TRUE);
	ResumeThread(first);
	if (WaitForSingleObject(first, 300000))
		fail("the first thread does not end", chain->name);
	trace.id = trace.begin = 0;
	printf("%s: %d steps, %d system calls\n", chain->name, trace.steps, trace.count);
	fflush(stdout);
	milliseconds = INFINITE;
	w->chain = chain->name;
	w->thread = start(chain, &w->id, FALSE);
	w->base = stack_base(w->thread);
	if (!strcmp(chain->name, "crash"))
		crashing = w->id;
	ResumeThread(w->thread);
	for (i = 0; i < 300; i++) {
		if (!find(w)) {
			stays = 0;
			Sleep(10);
		} else if (++stays == 3) { /* it does not only pass there */
			return TRUE;
		} else {
			Sleep(20);
		}
	}
	return FALSE;
}

static void add(const char *library, const struct chain *chain)
{
	struct witness *w = &witnesses[n_witnesses++];
	int i;

	w->library = library;
	/* Stepping does not always begin: a thread that is only coming to be loses the flag. */
	for (i = 0; !take(w, chain); i++) {
		printf("%s: %s: again, %d system calls seen\n", library, chain->name, trace.count);
		fflush(stdout);
		if (i == 8)
			fail("the second thread is not where the first one was", chain->name);
		TerminateThread(w->thread, 0);
		crashing = 0;
		crashed = NULL;
	}
}

/* What the thread does is let go before the first chain: the first messages of a process start much. */
static void prepare(void)
{
	MSG m;
	PostThreadMessageW(GetCurrentThreadId(), WM_USER, 0, 0);
	GetMessageW(&m, NULL, WM_USER, WM_USER);
}

static const char *place(word pc, char *text)
{
	HMODULE module = NULL;
	char path[MAX_PATH], *name = path, *p;
	GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, (void *)pc, &module);
	if (!module || !GetModuleFileNameA(module, path, sizeof path))
		fail("in no module", "address");
	for (p = path; *p; p++)
		if (*p == '\\')
			name = p + 1;
	sprintf(text, "%s+0x%x", name, (unsigned)(pc - (word)module));
	return text;
}

static void write_truth(void)
{
	FILE *f = fopen("truth.tsv", "wb");
	char text[MAX_PATH];
	int i, j;

	fprintf(f, "thread\tlibrary\tchain\tkind\taddress\tstack pointer\tplace\n");
	for (i = 0; i < n_witnesses; i++) {
		struct witness *w = &witnesses[i];
		struct snapshot *s = &w->found;
#define LINE(kind, pc, sp) \
	fprintf(f, "%lx\t%s\t%s\t%s\t" F "\t" F "\t%s\n", w->id, w->library, w->chain, kind, pc, sp, place(pc, text))
		if (in_handler(w))
			fprintf(f, "%lx\t%s\t%s\tunseen\t\t\t\n", w->id, w->library, w->chain);
		LINE("interrupted", s->pc, s->sp);
		for (j = s->n; j-- > 0;)
			LINE("return", s->stack[j].pc, s->stack[j].slot + sizeof(word));
	}
	fclose(f);
}

int main(int argc, char **argv)
{
	MINIDUMP_EXCEPTION_INFORMATION exception = {0};
	HANDLE file;
	int i;

	trace.snapshots = VirtualAlloc(NULL, SNAPSHOTS * sizeof *trace.snapshots, MEM_COMMIT, PAGE_READWRITE);
	prepare();
	AddVectoredExceptionHandler(1, step);
	for (i = 1; i < argc; i++) {
		HMODULE library = LoadLibraryA(argv[i]);
		const struct chain *c;
		if (!library)
			fail("cannot be loaded", argv[i]);
		c = ((chains_function *)(void *)GetProcAddress(library, "chains_of"))(&milliseconds);
		for (; c->name; c++)
			if (strcmp(c->name, "crash") || i == argc - 1)
				add(argv[i], c);
	}
	Sleep(200);
	file = CreateFileW(L"stacks.dmp", GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
	exception.ThreadId = crashing;
	exception.ExceptionPointers = crashed;
	if (!MiniDumpWriteDump(GetCurrentProcess(), GetCurrentProcessId(), file, MiniDumpWithFullMemory, &exception, NULL, NULL))
		fail("not written", "stacks.dmp");
	CloseHandle(file);
	write_truth();
	ExitProcess(0);
}
