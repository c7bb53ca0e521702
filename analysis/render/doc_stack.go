// # JSON of stacks
//
// "dumpscan.stacks/1", a [StackReport]:
//
//	dump       see DumpHeader
//	exception  as in threads: {code, name, threadId, address, module, moduleOffset,
//	           function, displacement, trust, file, line, parameters}; absent if
//	           the dump has none
//	threads    the threads that were chosen, in the order of the file; none with
//	           --unique:
//	  index         from 0: the number that debuggers give the thread
//	  id            of the thread, a decimal number
//	  name          absent if it was given none
//	  faulting      the dump was written for an exception of this thread, and the
//	                stack is that from there, as after .ecxr
//	  frames        the innermost first:
//	    address       of the code that ran: where the thread stood or was
//	                  interrupted, and of callers the last byte of the call
//	    returnAddress of callers, one more than address; absent for the others.
//	                  The text names this one, as WinDbg does
//	    stackPointer  of the frame, WinDbg's Child-SP
//	    module        as WinDbg writes it; "" outside all modules
//	    offset        of the address from the base of the module
//	    function, displacement
//	                  the function, and how far behind its start the address is;
//	                  "" if no symbols name it
//	    file, line    absent if they are not known
//	    trust         how the frame was found: "context" (its registers are in the
//	                  dump), "cfi" (unwind data), "frame pointer" (on x86 what the
//	                  code does to the stack as well), or "scan": a
//	                  word of the stack that is the return address of a call, and
//	                  may be left over from an earlier one
//	    symbols       where the name comes from, as trust in Frame
//	    inline        the compiler put the function into that of the next frame
//	                  that is not inline, whose address and trust these are
//	    outside       of an address in no module: "jit", code that was made while
//	                  the process ran, or "unknown"; absent in modules
//	  framesOmitted frames left out by --frames; absent if none is
//	  stopped       why the stack ends: "start of the thread" is its end, all else
//	                means that there may be more frames
//	  stack32       of a 32-bit process that a 64-bit debugger has dumped (WOW64),
//	                where the thread left its 32-bit code: {frames,
//	                framesOmitted, stopped}; absent for others
//	  wait          what the thread seems to wait for, in a system call whose
//	                handles are handles of the dump; absent otherwise:
//	    function      the system call, "NtWaitForSingleObject"
//	    objects       any or all of them: {handle, type, name, threadId,
//	                  processId, abandoned}; the thread is the owner of a Mutant,
//	                  or the Thread itself, and absent if it is not known
//	    evidence      where the handles come from: "rcx"
//	chains     threads of which each waits for the next: {closed, threadIds,
//	           sentence}; closed says that the last waits for the first, which is
//	           a deadlock unless a wait has a timeout. Absent if there are none
//	groups     with --unique, equal stacks, the most frequent first: {count,
//	           threads, frames, framesOmitted, stopped, stack32}; threads are {index, id,
//	           name}, and all else is as in threads
//	omitted    threads or groups left out by --limit; absent if none is
//	notes      [sentence]
//	errors     [sentence]
//
// # JSON of exception
//
// "dumpscan.exception/1", an [ExceptionReport]:
//
//	dump       see DumpHeader
//	exception  what the dump was written for: code, name, threadId, address,
//	           module, moduleOffset, function, displacement, trust, file, line
//	           and parameters as in threads, and
//	  flags         EXCEPTION_*; bit 0 says that the process could not go on
//	  access        of STATUS_ACCESS_VIOLATION and STATUS_IN_PAGE_ERROR: {kind,
//	                address}; kind is "read", "write" or "execute"
//	  meaning       of the parameters, in words; absent where it is not known
//	nested     the exceptions within it, the outer ones first: {code, name, flags,
//	           address, place, parameters}
//	handle     of STATUS_INVALID_HANDLE, if it is known:
//	  handle        its value
//	  evidence      why it is taken for that one
//	  open          whether it is a handle in the dump; absent if the dump has no
//	                list of handles
//	  type, name    of the object, if it is
//	  operations    of the handle trace, the newest first: {position, operation,
//	                threadId, processId, frames}, as in htrace
//	registers  at the exception: [{name, value}], in WinDbg's order
//	thread     the thread and its stack, all as in stacks: {index, id, name,
//	           faulting, frames, framesOmitted, stopped, stack32}, and of each frame
//	           {address, returnAddress, stackPointer, module, offset, function, displacement,
//	           file, line, trust, symbols, inline, outside}; absent if the dump does not
//	           list the thread
//	next       what to do, a sentence; absent if there is nothing
//	command    its command as a list of arguments; absent if there is none
//	notes      [sentence]
//	errors     [sentence]
package render
