/* Opens the handles that are there from the start; none of this is a leak. */
#include "held.h"

struct held held;

/* Takes a mutex and ends with it: the mutex is abandoned, the thread exited with code 7. */
static DWORD WINAPI orphan_main(void *p)
{
	WaitForSingleObject(p, INFINITE);
	return 7;
}

BOOL held_open(void)
{
	DWORD id;

	held.stop = CreateEventW(NULL, TRUE, FALSE, L"Global\\MyCustomStop");
	held.lock = CreateMutexW(NULL, TRUE, L"MyCustomLock");
	held.orphan = CreateMutexW(NULL, FALSE, L"MyCustomOrphan");
	held.pool = CreateSemaphoreW(NULL, 3, 10, L"MyCustomPool");
	held.cache = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x10000, L"MyCustomCache");
	OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &held.token);
	held.process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
	held.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	held.timer = CreateWaitableTimerW(NULL, TRUE, L"MyCustomTimer");
	held.job = CreateJobObjectW(NULL, L"MyCustomJob");
	held.config = CreateFileW(L"C:\\inetsrv\\web.config", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	if (held.config == INVALID_HANDLE_VALUE)
		return FALSE;
	SetHandleInformation(held.stop, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
	SetHandleInformation(held.pool, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE);
	held.exited = CreateThread(NULL, 0, orphan_main, held.orphan, 0, &id);
	return WaitForSingleObject(held.exited, INFINITE) == WAIT_OBJECT_0;
}
