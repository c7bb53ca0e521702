/*
 * MyCustomDll.dll: the guilty module. It links with no C runtime, so that all
 * of its code is in this file.
 *
 * Leaked handles stay in heap objects whose first word points to a constant
 * table of functions in this module, as the vtable pointer of a C++ object
 * does: that is what a search for the owners of a handle value has to find.
 */
#define MYCUSTOM_BUILD
#include "mycustom.h"

struct object;

struct vtable {
	void (WINAPI *destroy)(struct object *o);
	DWORD (WINAPI *id)(const struct object *o);
};

/* Common to all objects: the table pointer comes first. */
struct object {
	const struct vtable *vtable;
};

/* The key follows the table pointer: offset 8 on x64, 4 on x86. */
struct settings {
	struct object object;
	HKEY key;
	DWORD id;
	struct settings *next;
	WCHAR subkey[24];
};

/* The event is the third word: offset 16 on x64, 8 on x86. */
struct subscription {
	struct object object;
	struct subscription *next;
	HANDLE event;
	DWORD id;
};

/* Innocent: a small number where struct settings has its handle. */
struct request {
	struct object object;
	SIZE_T number;
	struct request *next;
};

static struct settings *all_settings;
static struct subscription *all_subscriptions;
static struct request *all_requests;

static struct path_counts counts[PATH_COUNT] = {
	[PATH_SETTINGS]  = {"CreateSettings", "OpenClassesKey"},
	[PATH_SUBSCRIBE] = {"Subscribe", "NewSubscription"},
	[PATH_TIMEZONE]  = {"ReadTimeZone", "ReadTimeZone"},
	[PATH_RELEASE]   = {"ReleaseTwice", "ReleaseTwice"},
	[PATH_HANDOVER]  = {"HandOver", "HandOver"},
	[PATH_LATECLOSE] = {"LateClose", "-"},
};

static __attribute__((noinline)) struct subscription *NewSubscription(void);

static void *allocate(SIZE_T size)
{
	return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

static void WINAPI DestroyObject(struct object *o)
{
	HeapFree(GetProcessHeap(), 0, o);
}

static DWORD WINAPI SettingsId(const struct object *o)
{
	return ((const struct settings *)o)->id;
}

static DWORD WINAPI SubscriptionId(const struct object *o)
{
	return ((const struct subscription *)o)->id;
}

static DWORD WINAPI RequestId(const struct object *o)
{
	return (DWORD)((const struct request *)o)->number;
}

static const struct vtable settings_vtable = {DestroyObject, SettingsId};
static const struct vtable subscription_vtable = {DestroyObject, SubscriptionId};
static const struct vtable request_vtable = {DestroyObject, RequestId};

LSTATUS OpenClassesKey(const WCHAR *subkey, HKEY *key)
{
	LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, subkey, 0, KEY_READ, key);

	if (status == ERROR_SUCCESS)
		counts[PATH_SETTINGS].opens++;
	return status;
}

/* Leak 1. With forget, the object goes too and nothing refers to the key any longer. */
BOOL CreateSettings(const WCHAR *subkey, BOOL forget)
{
	struct settings *s = allocate(sizeof *s);
	int i;

	if (!s)
		return FALSE;
	if (OpenClassesKey(subkey, &s->key) != ERROR_SUCCESS) {
		DestroyObject(&s->object);
		return FALSE;
	}
	if (forget) {
		s->key = NULL;
		DestroyObject(&s->object);
		return TRUE;
	}
	s->object.vtable = &settings_vtable;
	s->id = ++counts[PATH_SETTINGS].objects;
	for (i = 0; subkey[i] && i < (int)ARRAYSIZE(s->subkey) - 1; i++)
		s->subkey[i] = subkey[i];
	s->next = all_settings;
	all_settings = s;
	return TRUE;
}

/* Leak 2. */
BOOL Subscribe(void)
{
	struct subscription *s = NewSubscription();

	if (!s)
		return FALSE;
	s->next = all_subscriptions;
	all_subscriptions = s;
	return TRUE;
}

/* As it should be: what is opened is closed. */
BOOL ReadTimeZone(void)
{
	HKEY key;

	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE,
	                  L"Software\\Microsoft\\Windows NT\\CurrentVersion\\Time Zones",
	                  0, KEY_QUERY_VALUE, &key) != ERROR_SUCCESS)
		return FALSE;
	counts[PATH_TIMEZONE].opens++;
	if (RegCloseKey(key) != ERROR_SUCCESS)
		return FALSE;
	counts[PATH_TIMEZONE].closes++;
	return TRUE;
}

/* Fault 3: the second close hits a handle that is gone, or by then somebody else's. */
BOOL ReleaseTwice(void)
{
	HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);

	if (!event)
		return FALSE;
	counts[PATH_RELEASE].opens++;
	if (!CloseHandle(event))
		return FALSE;
	counts[PATH_RELEASE].closes++;
	if (CloseHandle(event))
		return FALSE;
	counts[PATH_RELEASE].badrefs++;
	return TRUE;
}

/* Fault 4: a second handle to an object that the process holds already. */
BOOL HandOver(HANDLE source)
{
	HANDLE copy;

	if (!DuplicateHandle(GetCurrentProcess(), source, GetCurrentProcess(), &copy,
	                     0, FALSE, DUPLICATE_SAME_ACCESS))
		return FALSE;
	counts[PATH_HANDOVER].opens++;
	counts[PATH_HANDOVER].duplicates++;
	return TRUE;
}

/* Leaves a close in the record for which there is no open. */
BOOL LateClose(HANDLE early)
{
	if (!CloseHandle(early))
		return FALSE;
	counts[PATH_LATECLOSE].closes++;
	return TRUE;
}

/* Objects that hold small numbers, every fourth of which looks like a handle value. */
BOOL QueueRequests(DWORD n)
{
	DWORD i;

	for (i = 1; i <= n; i++) {
		struct request *r = allocate(sizeof *r);

		if (!r)
			return FALSE;
		r->object.vtable = &request_vtable;
		r->number = i;
		r->next = all_requests;
		all_requests = r;
	}
	return TRUE;
}

const struct path_counts *PathCounts(void)
{
	return counts;
}

/* Not exported: a reader that knows exports alone takes this for PathCounts. */
static struct subscription *NewSubscription(void)
{
	struct subscription *s = allocate(sizeof *s);

	if (!s)
		return NULL;
	s->object.vtable = &subscription_vtable;
	s->event = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!s->event) {
		DestroyObject(&s->object);
		return NULL;
	}
	counts[PATH_SUBSCRIBE].opens++;
	s->id = ++counts[PATH_SUBSCRIBE].objects;
	return s;
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
	(void)reserved;
	if (reason == DLL_PROCESS_ATTACH)
		DisableThreadLibraryCalls(instance);
	return TRUE;
}
