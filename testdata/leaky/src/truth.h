/* The tables of truth that accompany a dump. */
#ifndef TRUTH_H
#define TRUTH_H

#include "handles.h"
#include "record.h"
#include "mycustom.h"

/* truth_handles writes one line a handle, as the system described it. */
BOOL truth_handles(const WCHAR *path, const struct handle_row *rows, DWORD n);

/*
 * truth_paths writes what each path did by its own count, and which thread
 * (threads[path]) it ran on; then the totals of the operations recorded.
 */
BOOL truth_paths(const WCHAR *path, const DWORD *threads, const struct handle_operation *ops, DWORD n);

#endif
