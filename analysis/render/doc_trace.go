// # JSON of htrace
//
// "dumpscan.htrace/2", a [TraceReport]. Operations are known by their position
// in time: 0 is the oldest.
//
//	dump         see DumpHeader
//	order        "newest-first" or "oldest-first": how the file stores the
//	             operations
//	evidence     what that rests on:
//	  reason       "anomalies", "handles", "overlap", "pair", "default" or
//	               "request"; see htrace.OrderReason
//	  oldestFirst, newestFirst
//	               what replaying in that order met: {anomalies,
//	               contradictions, otherTypes}, see htrace.OrderCount
//	parsed       operations in the trace
//	opens, closes, badRefs, others
//	             operations of each kind; others are of an unknown kind
//	outstanding  opens without a later close of the same value; with --diff,
//	             those among the new ones; with --type and --name, the selected
//	filteredOut  outstanding opens that --type and --name did not select; absent
//	             if there are none
//	stacks       distinct stacks in the trace
//	diff         with --diff: {earlier (see DumpHeader), new, overlap,
//	             overwritten}; overlap counts the operations that are in both
//	             dumps, overwritten those of the earlier one that are no longer
//	             in the later one
//	ring         what the trace has not kept: {closesWithoutOpen,
//	             openWithoutEntry, missing}; openWithoutEntry counts handles of
//	             the handle stream, missing the outstanding opens whose handle
//	             is not in it. The last two are absent without a handle stream
//	windowSeconds, windowOf
//	             the time over which rates are the mean, and what it is:
//	             "uptime" or "diff"; absent if it is not known
//	groupBy      "stack", "culprit", "function", "thread" or "type"
//	groups       the outstanding opens in groups, the widest first:
//	  key          the property's value; "" for a stack
//	  count        opens
//	  share        of all outstanding opens, 0 to 1
//	  ratePerHour  mean over windowSeconds; absent without
//	  culprit      name of the module to blame, as WinDbg writes it;
//	               "<Unloaded_name>", "<JIT code>", "<no module>" or "<no stack>"
//	  culpritKind  "module", "unloaded", "jit" (no module, and a runtime that
//	               compiles code is loaded, or the memory is executable),
//	               "unknown" (no module), "system"
//	               (the stack lies in the operating system alone) or "none"
//	  culpritFrame index in frames, or -1
//	  culpritPath  the module's file; absent without
//	  function     of the culprit: "MyCustomDll!Leak", "MyCustomDll+0x1543" if
//	               no symbols name it; "" without a culprit
//	  type         the most frequent type of the handles, "" if not known
//	  types        [{type, count}]
//	  names        [{name, count}] of the named objects
//	  threads      [{threadId, processId, count}]
//	  handles      ["0x7e0"], ascending
//	  missing      opens whose handle is not in the handle stream; absent
//	               without one
//	  reused       opens of a value that the trace has open earlier
//	  allOpens     opens of the group's stacks in the whole trace, with those that
//	               were closed
//	  young        of count: may be in use and be closed in time, as they are no
//	               older than those that the same place closed became
//	  split        why the culprit is not the first frame outside the system: a
//	               helper (through, see Frame) opens handles for several callers,
//	               and this one keeps more of them; caller and others are
//	               {opens, open, young}. Absent if it is the first
//	  stacks       distinct stacks; frames are those of the most frequent one
//	  frames       innermost first, see Frame
//	omitted      groups, or operations, left out by --limit; absent if none is
//	anomalies    what is wrong, or worth knowing:
//	  kind         "double-close", "bad-reference", "open-of-open", "injected",
//	               "foreign-close", "duplicated", "close-without-open" or
//	               "open-without-entry"; see htrace.AnomalyKind
//	  handle       the value, or an example if count is not 1
//	  count        handles that it stands for
//	  type         of open-without-entry
//	  culprit      of the operation's stack; absent without an operation
//	  operation    {position, operation, threadId, processId, frames}, the one
//	               that is wrong; absent in open-without-entry
//	  previous     the open or close of the same value before; absent if there
//	               is none
//	explanations [{kind, count, text}], sentences about the anomalies
//	operations   with HANDLE: its operations, the newest first: {handle,
//	             outstanding, position, operation, threadId, processId, frames};
//	             operation is "OPEN", "CLOSE" or "BADREF"
//	next         what to do, a sentence; absent if there is nothing
//	command      its command as a list of arguments; absent if there is none
//	notes        [sentence]
//	errors       [sentence]
//
// # JSON of htrace --calls
//
// "dumpscan.htrace.calls/2", a [CallReport]:
//
//	dump    see DumpHeader
//	stack   whose stack it is, in words
//	calls   its frames, the innermost first: each as Frame, of the return
//	        address, with
//	  destination  where the call before it went, see Frame; absent if that is
//	               not known
//	  note         why it is not known, or the call as an instruction
//	notes   [sentence]
//	errors  [sentence]
//
// # JSON of modules
//
// "dumpscan.modules/2", a [ModuleReport]:
//
//	dump      see DumpHeader
//	modules   in the order of the file:
//	  base, end       addresses of the first byte, and of that behind the last
//	  size            bytes
//	  name, path      "ntdll" and the file
//	  version, productVersion
//	                  "10.0.19041.1"; absent where the module has none
//	  timestamp, checksum
//	                  of the image
//	  imageKey        the key of the image in a symbol store
//	  pdb, pdbKey     file name and key of its PDB; absent where it has none
//	  fileInfo        the numbers of its version resource (VS_FIXEDFILEINFO):
//	                  {flags, flagsMask, os, type, subtype, date}; absent where it
//	                  has none
//	unloaded  modules that are unloaded by now: {base, end, size, name,
//	          timestamp, checksum}
//	omitted   modules of both lists left out by --limit; absent if none is
//	notes     [sentence]
//	errors    [sentence]
//
// # JSON of symbols
//
// "dumpscan.symbols/2", a [SymbolReport]:
//
//	dump     see DumpHeader
//	modules  in the order of the file:
//	  name, path, base, pdb, pdbKey, imageKey
//	           as in modules
//	  trust    where its names come from: "pdb", "sym", "dwarf", "export" or
//	           "module"
//	  from     the file; absent for "module"
//	  tries    what was searched: {trust, where, error}; error is absent where
//	           the search succeeded
//	notes    [sentence]
//	errors   [sentence]
//
// # JSON of symbols --manifest
//
// "dumpscan.symbols.manifest/2", a [SymbolManifest]:
//
//	dump    see DumpHeader
//	files   in the order of the file: {module, kind, path, urls}; kind is "pdb"
//	        or "image", path where a symbol store keeps the file, urls where the
//	        servers of the symbol path do
//	notes   [sentence]; if there are no files, why
//	errors  [sentence]
//
// # JSON of threads
//
// "dumpscan.threads/2", a [ThreadReport]:
//
//	dump       see DumpHeader
//	exception  what the dump was written for; absent if it has none:
//	  code, name    "0xc0000008" and "STATUS_INVALID_HANDLE"
//	  threadId      the thread that raised it
//	  address, module, moduleOffset, function, displacement, trust, file, line
//	                where; as in Frame, moduleOffset being its offset
//	  parameters    what they mean depends on the code
//	threads    in the order of the file:
//	  index         from 0: the number that debuggers give the thread
//	  threadId
//	  current       true for the thread that a debugger begins with: that of the
//	                exception, or else the first; absent for the others
//	  name          absent if it was given none
//	  state         "alive" (it may run or wait, which the dump does not say),
//	                "suspended" (its suspend count is not 0; a debugger suspends
//	                all threads to write a dump), "exited", or "writing the dump"
//	  suspendCount, priority
//	  priorityClass 32 is normal
//	  affinity      a bit for each processor that it may run on; absent where the
//	                dump does not say
//	  startAddress  of its first function; absent if the dump does not say
//	  start         the same as "module!function" or "module+0x10"
//	  teb           address of the thread environment block
//	  teb32         of a WOW64 process: that of its 32-bit half; absent if the dump
//	                does not hold the memory
//	  stack         lowest address of its stack in the dump
//	  stackBase, stackLimit, lastError, lastStatus, tlsStorage, ownedLocks
//	                what the TEB says, of a WOW64 process the 32-bit one: behind the
//	                highest and at the lowest byte of the committed stack, what
//	                GetLastError returns, the last NTSTATUS that was a failure, the
//	                thread-local variables, and how many critical sections it is
//	                in. Absent if the dump does not hold the memory, and those that
//	                are 0 but for lastError and lastStatus
//	  created, exitTime, exitStatus
//	                absent where the dump does not say
//	  userMs, kernelMs
//	                processor time in milliseconds; absent likewise
//	omitted    threads left out by --limit; absent if none is
//	notes      [sentence]
//	errors     [sentence]
package render
