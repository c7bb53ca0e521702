/* The interface of MyCustomDll.dll: six ways to treat a handle, four of them wrong. */
#ifndef MYCUSTOM_H
#define MYCUSTOM_H

#include <windows.h>

#ifdef MYCUSTOM_BUILD
#define MYCUSTOM_API __declspec(dllexport)
#else
#define MYCUSTOM_API __declspec(dllimport)
#endif

/* The paths, in the order of the table of truth. */
enum path {
	PATH_SETTINGS,    /* CreateSettings: a registry key opened, never closed */
	PATH_SUBSCRIBE,   /* Subscribe: an event created, never closed */
	PATH_TIMEZONE,    /* ReadTimeZone: a key opened and closed, as it should be */
	PATH_RELEASE,     /* ReleaseTwice: an event created, closed, closed again */
	PATH_HANDOVER,    /* HandOver: a handle duplicated into the own process */
	PATH_LATECLOSE,   /* LateClose: closes what was opened before recording began */
	PATH_COUNT
};

/* What one path did, counted where the call returns and not by the recorder. */
struct path_counts {
	const char *name;   /* exported function at the head of the path */
	const char *opener; /* function whose call opens the handle; not always exported */
	DWORD opens;        /* handles obtained; a duplicate is one of them */
	DWORD closes;       /* successful closes */
	DWORD badrefs;      /* closes refused because the handle was no longer valid */
	DWORD duplicates;   /* of the opens, those made by DuplicateHandle */
	DWORD objects;      /* heap objects alive that hold a leaked handle */
};

MYCUSTOM_API BOOL CreateSettings(const WCHAR *subkey, BOOL forget);
MYCUSTOM_API BOOL Subscribe(void);
MYCUSTOM_API BOOL ReadTimeZone(void);
MYCUSTOM_API BOOL ReleaseTwice(void);
MYCUSTOM_API BOOL HandOver(HANDLE source);
MYCUSTOM_API BOOL LateClose(HANDLE early);
MYCUSTOM_API LSTATUS OpenClassesKey(const WCHAR *subkey, HKEY *key);
MYCUSTOM_API BOOL QueueRequests(DWORD n);
MYCUSTOM_API const struct path_counts *PathCounts(void);

#endif
