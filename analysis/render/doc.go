// Package render writes facts as WinDbg's text, as plain text and tables, as
// JSON and CSV. It never sees the dump: everything it needs is in the facts of
// package analysis.
//
// # Text
//
// Text that comes from a dump passes [Escape] before it is written. The text
// forms that WinDbg has are reproduced byte for byte; where this package adds
// something, it does so only on a terminal or on request.
//
// # JSON
//
// Every answer is one object. Its first field, "schema", names the contract
// and its version, "dumpscan.handles/1". Within a version fields are added but
// neither removed nor given another meaning. In all of them:
//
//   - addresses, handle values, access masks and other bit sets are strings in
//     hexadecimal, "0x7e0"; counts and sizes are numbers;
//   - times are RFC 3339 in UTC;
//   - lists are never null, but may be empty; any other field may be absent,
//     which means that the dump does not tell;
//   - "dump" describes the dump: see [DumpHeader];
//   - "notes" are sentences for people about what is easily misread, "errors"
//     what could not be read. With errors the exit code is 3.
//
// A command that cannot answer at all (the file is no minidump, or the dump
// lacks what was asked for) writes no object: standard output is empty, the
// cause is on standard error, and the exit code is 3.
//
// The fields of each answer are documented at the type that writes it:
//
//   - diff: [DiffReport]
//   - handles: [HandleReport]
//   - htrace: [TraceReport.JSON]
//   - info: [InfoReport]
//   - modules: [ModuleReport]
//   - symbols: [SymbolReport]
//   - symbols --manifest: [SymbolManifest]
//   - threads: [ThreadReport]
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
//	            "leak"
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
//	               hour; confidence 0.95; basis "regression" or "counting"
//	  shape        "steady", "saturating cache" ...; absent with one dump
//	  counts       one for each dump
//	  turnover     {opened, closed, born, gone, reused, early, kept}, see
//	               leaks.Turnover; absent if it was not measured
//	  survivors    the handles that are new since the first dump and still in
//	               the last
//	  culprit      the module that opened the handles; "" if no trace shows it
//	  opener       {location, file, opens, traced, of, allOpens, frames}: where
//	               and in which dump's trace; opens of traced handles that the
//	               trace has were opened there, of handles of the group in that
//	               dump; allOpens with those that were closed; frames as in
//	               htrace; absent without a trace
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
//	                    or "memory"; absent for other kinds
//	  class             from RTTI or symbols; absent without
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
//	                    objects themselves; "array" or "memory": elsewhere, in a
//	                    row or not
//	    address         the lowest pointer
//	    module, moduleOffset, symbol
//	                    where that is, for a global
//	    fieldOffset     bytes from the start of the object, for a link
//	    stride          bytes from pointer to pointer; absent if they are in no
//	                    row
//	    objects, of     so many objects of those that were followed are led to
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
