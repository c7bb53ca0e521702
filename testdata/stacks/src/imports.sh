# The functions that chains.c imports; name and, for x86, bytes of parameters. Sourced
# by build.sh: LLVM's linker gets its import libraries from here.
imports='
kernel32 Sleep@4 SleepEx@8 WaitForSingleObject@8 WaitForMultipleObjects@16 SignalObjectAndWait@16
kernel32 SleepConditionVariableSRW@16 AcquireSRWLockExclusive@4 CreateEventW@16 GetCurrentThreadId@0
kernel32 ExitThread@4 EnumSystemLocalesW@8 EnumResourceTypesW@12 InitOnceExecuteOnce@16 GetModuleHandleW@4
kernel32 AddVectoredExceptionHandler@8
user32 PostThreadMessageW@16 GetMessageW@16 MsgWaitForMultipleObjects@20
msvcrt qsort bsearch
'
# What the compiler calls for large frames has another name on each processor.
[ $arch = x64 ] && probe=__chkstk || probe=_chkstk
imports="$imports
ntdll $probe"

