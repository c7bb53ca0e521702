package undecorate

// Name gives the qualified name without return type and parameters, as WinDbg prints it in stacks:
// `ns::Task::Run`. Template arguments are kept. A name that is not decorated, or not understood, is returned as it is.
func Name(decorated string) string { return decorated }

// Signature gives the whole declaration: `public: void __cdecl ns::Task::Run(void)`.
// A name that is not decorated, or not understood, is returned as it is.
func Signature(decorated string) string { return decorated }
