// Package unwind finds out how a thread came to where it is: the frames of its
// stack, from the registers and the memory of a dump, and where each of its calls
// went.
//
// An [Unwinder] goes from frame to frame by the best way there is. On x64 that is
// the unwind data of the images, or of code made at run time; where it is missing,
// the frame pointer, if the caller's is farther up the stack, or the code is of a
// compiler at run time; and as the last resort the first word of the stack that is
// the return address of a call which may have led to the frame. Each [Frame] says by
// which it was found.
//
// Images of x86 have no unwind data. There it is what symbols say of frames: call
// frame information, and the frame data of PDBs and Breakpad's files; else the code,
// whose pushes and pops are followed from where symbols, or the call before a return
// address, say that the function begins, or on to its end; and the frame pointer.
//
// On ARM64 and 32-bit ARM it is the unwind data of the images, packed or in full, or of
// code made at run time. Where that is missing, functions are taken to keep to the
// convention: the return address is in the link register, until a function stores it
// behind the caller's frame pointer and has its own point there. Signatures of
// return addresses are taken off.
//
// Symbol files, and call frame information in images, serve the other processors
// where the images' own unwind data is not at hand.
//
// What cannot be read ends a stack, with a reason: no frame is
// guessed from an address whose code is neither in the dump nor in an image file, but
// for a record of frame pointers on ARM, whose next one must lie farther up the
// stack.
package unwind
