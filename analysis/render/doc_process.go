// # JSON of memory
//
// "dumpscan.memory/2", a [MemoryReport], is the address space of a process. A
// region here is addresses that have all properties in common, the usage as well:
// one of the system is split where a TEB or a PEB lies in it.
//
//	dump       see DumpHeader
//	basis      "regions": the list of all regions; "captured": the memory in the
//	           dump alone, as there is no such list. Then the sums have only usage,
//	           and errors say how to capture the list
//	count, bytes
//	           of all regions, free ones too
//	freeBytes  of those that are free
//	usage      the sums by usage, the largest first:
//	  name       WinDbg's word: "Free", "Image", "Stack", "Heap", "TEB", "PEB", and
//	             "<unknown>" for the rest. A WOW64 process has "Stack32" and
//	             "Stack64", and likewise the three behind it
//	  count, bytes
//	             its regions
//	  share      of all bytes, 0 to 1
//	  busyShare  of the bytes that are not free; absent for those that are
//	types      likewise by MEM_PRIVATE, MEM_MAPPED, MEM_IMAGE, without free ones
//	states     likewise by MEM_COMMIT, MEM_RESERVE, MEM_FREE
//	protections
//	           likewise by PAGE_*, the committed ones alone
//	largest    [{name, address, bytes}]: the largest region of each usage, in the
//	           order of usage
//	largestFree32
//	           of a WOW64 process: the largest free block below 4 GiB, like one of
//	           largest
//	captured   {ranges, bytes, missingBytes}: the memory in the dump; missingBytes
//	           is what a file that was cut off has lost, absent if nothing
//	notes      [sentence]
//	errors     [sentence]
//
// # JSON of memory ADDRESS
//
// "dumpscan.memory.dump/2", a [MemoryDump], is memory at an address:
//
//	dump     see DumpHeader
//	format   "db", "dps" ...: the command of WinDbg that shows it so
//	address  of the first byte
//	bytes    how many are shown; of a text those before its NUL
//	capturedBytes
//	         of these, those that the dump has
//	rows     a line each, see [MemoryRow]:
//	  address
//	  data     the bytes in the order of memory, two hexadecimal digits each, "??"
//	           for one that was not captured
//	  values   the values of a format of 2 bytes and more, "0x1234"; "" for one
//	           that was not captured
//	  text     of da and du a part of the text; of db and dc the bytes as ASCII, a
//	           dot for what is not printable
//	  frame    of dps, dds and dqs where the value leads, see Frame; absent if into
//	           no module
//	notes    [sentence]
//	errors   [sentence]
//
// # JSON of peb
//
// "dumpscan.peb/2", a [PEBReport], is what a process keeps about itself:
//
//	dump   see DumpHeader
//	pebs   one, or of a WOW64 process two, the 64-bit one first; see [PEB]:
//	  address, pointerSize
//	  inheritedAddressSpace, readImageFileExecOptions, beingDebugged
//	  imageBaseAddress
//	           of the program
//	  ntGlobalFlag, ntGlobalFlag2
//	           FLG_*, as gflags.exe sets them; the second is absent before Windows
//	           10 1809, and where it was not captured
//	  subSystemData
//	  subSystem
//	           IMAGE_SUBSYSTEM_*: 2 a program with windows, 3 one of the console
//	  sessionId, processors
//	  osVersion
//	           [major, minor, build], as the process is told
//	  processHeap, heaps, heapCount
//	           the address of the default heap, those of the heaps that were
//	           captured, and how many there are
//	  ldr      where the loader's list is
//	  loader   the loader's list; absent if it was not captured:
//	    initialized
//	    inInitializationOrder, inLoadOrder, inMemoryOrder
//	             [first, last]: the links of the heads of three lists
//	    modules  [{base, size, timestamp, path}] in the order of loading; path is
//	             absent if it was not captured
//	  processParameters
//	           where the parameters are
//	  parameters
//	           what the process was started with; absent if it was not captured,
//	           as is each text:
//	    currentDirectory, windowTitle, imageFile, commandLine, dllPath, desktop,
//	    shellInfo
//	    standardInput, standardOutput, standardError
//	             handles
//	    environment
//	             where it is
//	    variables
//	             with --environment: [{name, value}] in the order of the block; a
//	             name that begins with "=" is one of cmd.exe
//	    variableCount
//	             how many were captured
//	  missing  the parts that the dump does not hold, in words
//	notes  [sentence]
//	errors [sentence]
package render
