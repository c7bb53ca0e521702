/* Writes the tables of truth: tab-separated UTF-8, a first line that names the columns. */
#include "truth.h"
#include <stdio.h>

static FILE *create(const WCHAR *path)
{
	FILE *f = _wfopen(path, L"wb");

	if (!f)
		fprintf(stderr, "cannot write %ls\n", path);
	return f;
}

static BOOL finish(FILE *f)
{
	BOOL failed = ferror(f) != 0;

	return fclose(f) == 0 && !failed;
}

static const char *utf8(const WCHAR *s, char *out, int size)
{
	if (!WideCharToMultiByte(CP_UTF8, 0, s, -1, out, size, NULL, NULL))
		out[0] = 0;
	return out;
}

BOOL truth_handles(const WCHAR *path, const struct handle_row *rows, DWORD n)
{
	FILE *f = create(path);
	char type[128], name[4 * NAME_MAX_CHARS];
	DWORD i;

	if (!f)
		return FALSE;
	fprintf(f, "handle\ttype\tattributes\taccess\thandles\tpointers\tname\tobject\n");
	for (i = 0; i < n; i++)
		fprintf(f, "%x\t%s\t%lx\t%lx\t%lu\t%lu\t%s\t%s\n", (unsigned)rows[i].handle,
		        utf8(rows[i].type, type, sizeof type), rows[i].attributes, rows[i].access,
		        rows[i].handle_count, rows[i].pointer_count,
		        utf8(rows[i].name, name, sizeof name), rows[i].object);
	return finish(f);
}

BOOL truth_paths(const WCHAR *path, const DWORD *threads, const struct handle_operation *ops, DWORD n)
{
	const struct path_counts *counts = PathCounts();
	DWORD total[4] = {0};
	FILE *f = create(path);
	DWORD i;

	if (!f)
		return FALSE;
	fprintf(f, "path\topener\tthread\topens\tcloses\tbadrefs\tduplicates\tobjects\n");
	for (i = 0; i < PATH_COUNT; i++)
		fprintf(f, "%s\t%s\t%lx\t%lu\t%lu\t%lu\t%lu\t%lu\n", counts[i].name, counts[i].opener,
		        threads[i], counts[i].opens, counts[i].closes, counts[i].badrefs,
		        counts[i].duplicates, counts[i].objects);
	for (i = 0; i < n; i++)
		total[ops[i].type & 3]++;
	fprintf(f, "(all)\t-\t-\t%lu\t%lu\t%lu\t-\t-\n", total[OPERATION_OPEN], total[OPERATION_CLOSE],
	        total[OPERATION_BADREF]);
	return finish(f);
}
