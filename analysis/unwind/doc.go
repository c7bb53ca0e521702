// Package unwind finds out how a thread came to where it is: so far the call
// before a return address, where it went, and why that is not known.
package unwind
