package minidump

// An Exception is what made the writer of a dump save it: a crash, or whatever
// a program said it was (MINIDUMP_EXCEPTION_STREAM with its MINIDUMP_EXCEPTION,
// 168 bytes).
type Exception struct {
	ThreadID         uint32 // the thread that the exception happened in
	ExceptionCode    ExceptionCode
	ExceptionFlags   uint32 // EXCEPTION_*; bit 0 says that the process could not go on
	ExceptionRecord  VA     // an exception within the exception (EXCEPTION_RECORD in the process), or 0
	ExceptionAddress VA     // where it happened; of 32 bits in a dump of pointers of 4 bytes
	NumberParameters uint32 // as declared

	// ExceptionInformation are the parameters, as many as NumberParameters says
	// and at most 15. What they mean depends on the code: an access violation has
	// 0 for reading, 1 for writing or 8 for executing, then the address. Breakpad
	// and Crashpad have values of their own here.
	ExceptionInformation []uint64

	ThreadContext Location // the registers at the exception; see [File.Section]; a CONTEXT of the processor
}

const exceptionSize = 168

// maxExceptionParameters is EXCEPTION_MAXIMUM_PARAMETERS.
const maxExceptionParameters = 15

// Exception decodes the ExceptionStream. The error wraps [ErrNoStream] if the
// dump has none, as one has that was taken of a running process.
func (f *File) Exception() (*Exception, error) {
	c, _, err := f.loadStream(ExceptionStream, exceptionSize)
	if err != nil {
		return nil, err
	}
	e := &Exception{ThreadID: c.u32()}
	c.skip(4)
	e.ExceptionCode = ExceptionCode(c.u32())
	e.ExceptionFlags = c.u32()
	e.ExceptionRecord = c.va()
	e.ExceptionAddress = c.va()
	e.NumberParameters = c.u32()
	c.skip(4)
	for i := range uint32(maxExceptionParameters) {
		if p := c.u64(); i < e.NumberParameters {
			e.ExceptionInformation = append(e.ExceptionInformation, p)
		}
	}
	e.ThreadContext = c.location()
	if c.err != nil {
		return nil, c.err
	}
	if f.ptr == 4 { // writers extend the sign of addresses beyond 2 GiB
		e.ExceptionAddress &= 0xffffffff
	}
	return e, nil
}
