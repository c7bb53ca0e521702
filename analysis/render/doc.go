// Package render writes facts as WinDbg's text, as plain text and tables, as
// JSON and CSV and other forms. It never sees the dump: everything it needs is
// in the facts of package analysis. [Write] writes a [Report] in a [Format].
//
// # Text
//
// Text that comes from a dump is escaped by package words before it is written.
// The text forms that WinDbg has are reproduced byte for byte; where this
// package adds something, it does so only on a terminal or on request.
//
// # JSON
//
// Every answer is one object. Its first field, "schema", names the contract
// and its version, "dumpscan.handles/2". Within a version fields are added but
// neither removed nor given another meaning. In all of them:
//
//   - addresses, handle values, access masks and other bit sets are strings in
//     hexadecimal, "0x7e0"; ids of processes and threads, counts and sizes are
//     numbers, sizes in bytes;
//   - times are RFC 3339 in UTC, "2024-03-05T17:08:09Z";
//   - lists are never null, but may be empty; any other field may be absent,
//     which means that the dump does not say;
//   - an answer that was interrupted is no whole object;
//   - text is that of the dump. JSON has no form for what is no Unicode that all
//     parsers read, so such text has U+FFFD and four hexadecimal digits: the
//     surrogate that has no pair, which a Windows name may have ("\ufffdD800"), a
//     byte that is no UTF-8 ("\ufffd00FF"), or U+FFFD itself ("\ufffdFFFD"). After
//     U+FFFD there are always four digits, so that names that differ stay different;
//     [words.FromJSONText] reads the form. The other formats have "<U+D800>" and
//     "<0xFF>".
//
// A command that cannot answer at all (the file is no minidump, or the dump
// lacks what was asked for) writes no object: standard output is empty, the
// cause is on standard error, and the exit code is 3.
//
// One name means one thing in all answers, in JSON and as a column of CSV:
//
//	dump           the dump, see below; "old" and "new" where there are two
//	process        file name of the program, "w3wp.exe"
//	path           its full path
//	processId      number
//	threadId       number
//	created        when the process or thread was started
//	type           of a handle, "Key"; handles without a type: ""
//	name           of an object; "" if it has none
//	merged         true if many names differ in the placeholders of name only:
//	               "<n>", "<guid>", "<sid>", "<tmp>"
//	handle         value of a handle
//	attributes     OBJ_* bits of a handle
//	grantedAccess  mask of the granted rights
//	access         names of the granted rights, a list: WinDbg's where they are
//	               known, else the constants of the Windows headers; bits without
//	               a name last, as one number
//	state          words for the state of an object: "manual" or "auto", "set"
//	               or "waiting", "owned" or "free", "abandoned", "available" or
//	               "exhausted", "running" or "exited"
//	count          how many there are
//	growth         how many more there are than before
//	address        in the process, with module, moduleOffset or offset, function
//	               and displacement: see [Frame]. A name that ends in "…" is cut:
//	               it is longer than 4 KiB, a module's longer than that of a file,
//	               or all names together are out of proportion to the size of the
//	               dump and its symbol files. An inlined call whose function is "…"
//	               stands for those that are left out for the same reason, or since
//	               they are more than 256. A sentence on standard error says so
//	omitted        how many rows --limit left out; absent if none
//	next, command  what to do next: a sentence, and the arguments of a command
//	notes          sentences for people about what is easily misread
//	errors         sentences about what could not be read, each with the file in
//	               front: one for each kind of problem, with the stream, the
//	               first file offset, and how many more there are like it. They
//	               are the lines that stderr has; with errors the exit code is 3
//
// The field "dump" ([DumpHeader]) has
//
//	file           as named on the command line
//	time           when the dump was written
//	pointerSize    4 or 8 bytes
//	process, path, processId, created
//	uptimeSeconds  from created to time
//	os             "Windows NT 10.0.19041"
//	writer         "dbghelp", "crashpad", "breakpad" or "wine"
//	recovered      names of the streams that --recover has found by their shapes,
//	               because the directory is damaged; absent if there are none
//
// # The answers
//
// The fields of each answer are those of a type, in the same order, behind
// "schema":
//
//   - diff: [DiffReport]
//   - exception: [ExceptionReport]
//   - handles: [HandlesReport]
//   - htrace: [TraceReport], [TraceOperations], [CallReport]
//   - info: [InfoReport]
//   - memory: [MemoryReport], [MemoryDump]
//   - modules: [ModuleReport]
//   - peb: [PEBReport]
//   - stacks: [StackReport]
//   - streams: [StreamsReport]
//   - symbols: [SymbolReport]
//   - symbols --manifest: [SymbolManifest]
//   - threads: [ThreadReport]
//   - token: [TokenReport]
//
// handles, dumpscan.handles/2:
//
//	dump
//	total          handles in the dump
//	types          [{type, count}] of these
//	handles        with a listing: the handles that were selected, see below
//	groups         with --group-by: [{type, name, grantedAccess, state, object,
//	               guess, processId, count, share}], the largest first; what was
//	               not asked for is absent
//	object         of a group: what identifies the object, "" if nothing does
//	guess          of a group: the handles are only probably to one object
//	share          of a group: of the handles that were selected, 0 to 1
//	omitted        handles, groups or types
//	dominant       with --hints: a sentence about the type that dominates
//	next, command  with --hints: how to look closer
//	notes, errors
//
// A handle ([Handle]), here and in diff:
//
//	handle, type, name, attributes, grantedAccess, access
//	handleCount    of the object; dbghelp counts its own duplicate too
//	pointerCount   of the object; no sign of a leak
//	object         absent without object information, else the fields of the
//	               object's kind:
//	               event ("manual" or "auto"), set;
//	               mutant ("free" or "owned"), abandoned, recursion,
//	               ownerProcessId, ownerThreadId;
//	               count, limit of a semaphore;
//	               base, attributes, maxSize of a section;
//	               processId, threadId, exitStatus, exited, priority,
//	               basePriority of a thread;
//	               processId, parentProcessId, exitStatus, exited, basePriority,
//	               flags of a process;
//	               unknown [{infoType, data}], data in hexadecimal
//
// In CSV a handle has the columns handle, type, name, attributes,
// grantedAccess, access, handleCount, pointerCount and state; access and state
// are words separated by blanks.
//
// diff, dumpscan.diff/2:
//
//	old, new       the dumps
//	seconds        from OLD to NEW by their time stamps; negative if NEW is the
//	               older one
//	differs        [sentence]: what speaks against OLD and NEW being dumps of one
//	               process, written in this order
//	total          counts of all handles, see below
//	types          [{type, counts}], in WinDbg's order
//	groups         [{type, name, merged, grantedAccess, state, attributes,
//	               counts}], the most changed first; of the states only those
//	               that do not come and go, attributes only of objects without a
//	               name
//	omitted        groups
//	added          with --handles: the handles that only NEW has
//	removed        with --handles: the handles that only OLD has
//	holders        with --holders: [{holder, kept, same, replaced, unknown,
//	               changed, sentence}]: the classes and arrays that hold handles,
//	               and what they say of those in both dumps; of changed, which are
//	               unknown, the object was replaced, or used; sentence is what
//	               distinguishes the objects
//	notes, errors
//
// Counts ([DiffCounts]) are the fields
//
//	old            handles in OLD: in both and removed
//	new            handles in NEW: in both and added
//	growth         new less old
//	added          handles in NEW only
//	removed        handles in OLD only
//	kept           handles in both: value, type, name, grantedAccess and the id
//	               of a thread or process agree. One that was closed and whose
//	               value was used again for a like object counts too
//	reused         how many of added have a value that was another handle in OLD
//	held           with --holders, what became of kept: {same, replaced,
//	               unknown}. Of the same handles the same object is the holder in
//	               both dumps, of replaced ones another object; of a handle that
//	               was handed on this may be said, too
//
// info, dumpscan.info/2:
//
//	dump
//	size           bytes
//	version        of the header
//	flags          {value, names}: what the writer was asked to save
//	writer         {name, evidence}; name is "" if the bytes do not say
//	system         {architecture, processors, name, productType, servicePack,
//	               build}: name is "Windows 7 SP1", productType 1 a workstation,
//	               2 a domain controller, 3 a server
//	cpu            {userSeconds, kernelSeconds}
//	memory         {privateBytes, workingSetBytes, pagedPoolBytes,
//	               nonPagedPoolBytes} of the process
//	machine        {physicalBytes, availableBytes, committedBytes,
//	               commitLimitBytes, pagedPoolBytes, nonPagedPoolBytes} of the
//	               whole system
//	exception      {code, name, threadId, address, module, moduleOffset,
//	               parameters}: what the dump was written for
//	comments       [text]
//	answers        {handles, handleTraces, fullMemory}, each {can, detail,
//	               advice}: whether the dump can answer such questions
//	streams        [{type, name, size, offset, recovered}] in the order of the
//	               file; recovered is true if --recover has found the stream by its
//	               shape, and absent otherwise
//	notes, errors
//
// # JSON of check
//
// "dumpscan.check/2", a [CheckReport]:
//
//	dumps     the dumps in the order given: see DumpHeader; each with handles,
//	          their number, and error if they cannot be counted
//	passed    true if every check passed: the exit code is 0
//	results   the outcome of each check of one dump, or of the first and the
//	          last dump together:
//	  check     "max Key=5000", "max-rate 50/h", "baseline"
//	  files     the dump, or the first and the last dump
//	  status    "passed", "breach", or "unknown" if the dumps cannot answer
//	  reason    why, with unknown
//	  seconds   between two dumps
//	  measures  in breach: what is too high; else what came nearest to the limit:
//	    subject      "Key", "total", "Key:\REGISTRY\*"
//	    count        handles in the dump, or in the last one
//	    base         in the first dump, or in the baseline; absent for "max"
//	    growth       count less base; absent for "max"
//	    ratePerHour  growth by time; of "max-rate"
//	    allowed      the count (max, baseline) or growth (max-growth) that
//	                 passes; absent for "max-rate"
//	    sentence     the same in words
//	    cause        the group that adds most: type, name, merged,
//	                 grantedAccess, state, attributes, count and base; absent if
//	                 there are no such handles
//	notes     [sentence]
//	errors    [sentence]
//
// # JSON of leaks
//
// "dumpscan.leaks/2", a [LeakReport]:
//
//	verdict     {leak, severity, sentence}: leak says whether a finding has the
//	            severity "leak"; severity is the worst one: "info", "suspect" or
//	            "leak"; "unknown" if there is nothing above "info", but a dump
//	            could not be read whole
//	processes   the processes, by name, id and start:
//	  process, processId, path, created
//	  unknown   parts of the identity that are not in the dumps
//	  dumps     the oldest first: see DumpHeader
//	  seconds   from the first to the last; absent without a trusted clock
//	  counts    of all handles, one for each dump
//	findings    the worst first, then the largest:
//	  rule         "steady-growth" ...; see leaks.Rules
//	  severity     "info", "suspect" or "leak"
//	  process, processId
//	  sentence     what was found
//	  type         of the handles; "" for those without, or if it is about none
//	  name         of their objects, numbers as "<n>" if they are merged; "" for
//	               objects without name, and where the group is a whole type
//	  merged       true if many names differ in such placeholders only
//	  grantedAccess, access
//	               the mask and the names of the rights; absent and [] where the
//	               group is a whole type
//	  state        "exited", "manual" ...; absent without
//	  attributes   OBJ_*, of objects without a name; absent without
//	  count        handles in the last dump
//	  growth       since the first dump; absent with one dump
//	  ratePerHour  absent if it is not known
//	  rate         {low, high, confidence, basis}: the interval of the rate, an
//	               hour; high absent if the time stamps, which are whole
//	               seconds, do not bound it; confidence 0.95; basis "regression"
//	               or "counting"
//	  shape        "steady", "saturating cache" ...; absent with one dump
//	  counts       one for each dump
//	  turnover     {opened, closed, born, gone, early, kept, oneOf}, see
//	               leaks.Turnover; absent if it was not measured; oneOf absent
//	               if all handles were followed; held, as below, of kept
//	  held         {old, new, kept, same, replaced, unknown}: of the handles of
//	               the group that have the same values in two dumps, how many
//	               are the same by what holds them, and how many were replaced;
//	               absent if the memory of two dumps was not searched, or does
//	               not say
//	  survivors    the handles that are new since the first dump and still in
//	               the last
//	  culprit      the module that opened the handles; "" if no trace shows it
//	  opener       {location, file, opens, traced, of, allOpens, young, split,
//	               frames}: where and in which dump's trace; opens of traced
//	               handles that the trace has were opened there, of handles of
//	               the group in that dump; allOpens with those that were closed;
//	               young, split {through, caller and others {opens, open, young}}
//	               and frames as in htrace; absent without a trace
//	  owners       where they are kept, as in owners
//	  known        {title, source, advice}: a leak that others have described;
//	               absent if it is none
//	  evidence     [sentence]
//	  next         what to do, a sentence
//	  command      its command as a list of arguments; [] if there is none
//	omitted     findings left out by --limit; absent if none is
//	suppressed  like findings, with suppressedBy {file, line, text, reason}
//	notes       [sentence]
//	errors      [sentence]
//
// # JSON of owners
//
// "dumpscan.owners/2", an [OwnersReport]:
//
//	dump    see DumpHeader
//	owners  places where many handles are kept; by descending number of handles
//	        of the type, then of those that were found:
//	  type              "Key"; handles without type: ""
//	  label             which of several sets of the type; absent without
//	  kind              "object": objects that have a pointer in common, always
//	                    at the same distance from the handle; "record": the
//	                    same with a number or text of 4 bytes; "array": cells
//	                    in the heap; "global": cells in the variables of a
//	                    module
//	  module            the module that an object's pointer leads into, or that
//	                    a global belongs to, as WinDbg names it; else absent
//	  moduleOffset      "0x3080", from the base of the module; absent likewise
//	  address           an object's pointer, "0x7ff612343080"; the first cell of
//	                    an array or global; absent for a record
//	  target            what an object's pointer leads to: "vtable", "data",
//	                    "code" or "module" (not known which), all of a module;
//	                    "class", the description of a class of .NET, in a module
//	                    or not; or "memory"; absent for other kinds
//	  class             from RTTI, symbols, or the metadata of .NET, there as the
//	                    runtime writes it, "Orders.Cache+Entry"; absent without
//	  classModule       the file of a class of .NET, "orders.dll"; else absent
//	  keeper, keeperModule
//	                    of objects whose class comes with .NET, the class of a
//	                    program that keeps them, and its file: the first on the
//	                    way along referrers and chain; absent if none is known
//	  symbol            what symbols call the place; absent without
//	  constant, text    a record's number, "0x20626f6a", and the same as text,
//	                    "job "; absent for other kinds, and where it is no text
//	  fieldOffset       bytes from the start of the object to the handle, or of
//	                    the cell; if the start is not known, from the pointer or
//	                    number
//	  wordOffset        bytes from the start of the object to the pointer or
//	                    number; negative for what the heap has before it; 0 if
//	                    the start is not known
//	  start             whether pointers show the start of the objects
//	  width             bytes of a handle
//	  stride            bytes from cell to cell; absent for objects and records
//	  arrays            how many such arrays there are; absent likewise
//	  handles           distinct handles of the type that were found there
//	  of                handles of the type
//	  earlier           handles that it held in the oldest dump with memory; in
//	                    the answer of leaks alone, and absent without
//	  objects           places that hold one
//	  instances         pointers or numbers of this value, or cells, whatever is
//	                    in the field
//	  empty             of these, those whose field is 0 or -1
//	  expectedByChance  estimate of "handles", if the field held other numbers
//	  confidence        0.99 to 1: 1 less the number of such places to be
//	                    expected in all that was searched if there were no owners
//	                    at all
//	  referrers         the places whose pointers lead to the start of the
//	                    objects or to the first cell:
//	    kind            "global": in the variables of a module; "link": in the
//	                    objects themselves; "object": in objects of a class of
//	                    .NET; "array" or "memory": elsewhere, in a row or not
//	    address         the lowest pointer
//	    module, moduleOffset, symbol
//	                    where that is, for a global
//	    class, classModule
//	                    of objects of .NET, or of an array of them,
//	                    "Orders.Cache+Entry[]", and the file; else absent
//	    fieldOffset     bytes from the start of the object, for a link or an
//	                    object
//	    stride          bytes from pointer to pointer; absent if they are in no
//	                    row
//	    objects, of     so many objects of those that were followed are led to
//	  chain             like referrers, what leads on from the objects of .NET
//	                    among these, step by step: the first to the referrers
//	                    that are followed, each other one to the objects of the
//	                    step before; absent without
//	  examples          [{object, handle}]: the start of the object if it is
//	                    known, else the pointer or number; the lowest first
//	unheld  [{type, label, handles, of}]: handles that no owner holds, and all of
//	        the type
//	omitted owners left out by --limit; absent if none is
//	sets    [{type, label, count}]: the handles whose owners were looked for
//	scan    what was searched:
//	  pointerSize  4 or 8; 4 for a WOW64 process
//	  maxOffset    bytes before a handle that were looked at
//	  basis        how the memory was chosen: "memory info" or "lists of the dump"
//	  ranges       pieces of memory
//	  bytes        their size
//	  hits         words equal to a handle
//	  examined     constellations that hold a few handles, or seem to
//	notes   [sentence]
//	errors  [sentence]
package render
