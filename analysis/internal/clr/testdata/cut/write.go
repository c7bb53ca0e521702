package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// write writes the dump: handles, modules, regions and the memory that was kept.
func (c *cutter) write(path string) error {
	d := dumptest.Dump{
		TimeDateStamp: c.f.TimeDateStamp, PointerSize: c.ptr,
		Flags: dumptest.WithFullMemory | dumptest.WithHandleData | dumptest.WithFullMemoryInfo,
	}
	handles, err := c.f.HandleData()
	if err != nil {
		return err
	}
	d.HandleData = &dumptest.HandleData{}
	for h, err := range handles.All() {
		if err != nil {
			return err
		}
		d.HandleData.Handles = append(d.HandleData.Handles, dumptest.Handle{
			Value: h.Handle, Type: h.TypeName, Name: h.ObjectName, Attributes: h.Attributes, GrantedAccess: uint32(h.GrantedAccess),
			HandleCount: h.HandleCount, PointerCount: h.PointerCount,
		})
	}
	for _, m := range c.list {
		d.Modules = append(d.Modules, dumptest.Module{Base: uint64(m.BaseOfImage), Size: m.SizeOfImage, TimeDateStamp: m.TimeDateStamp, Name: m.ModuleName})
	}
	infos, err := c.f.MemoryInfos()
	if err != nil {
		return err
	}
	d.Memory64 = c.memory()
	d.MemoryInfos = &dumptest.MemoryInfoList{}
	for m, err := range infos.All() {
		if err != nil {
			return err
		}
		for _, r := range d.Memory64 { // the regions of what was kept are all that matters
			if r.Start < uint64(m.BaseAddress)+m.RegionSize && r.Start+uint64(len(r.Data)) > uint64(m.BaseAddress) {
				d.MemoryInfos.Regions = append(d.MemoryInfos.Regions, dumptest.MemoryInfo{
					BaseAddress: uint64(m.BaseAddress), AllocationBase: uint64(m.AllocationBase), AllocationProtect: uint32(m.AllocationProtect),
					RegionSize: m.RegionSize, State: uint32(m.State), Protect: uint32(m.Protect), Type: uint32(m.Type),
				})
				break
			}
		}
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	n, err := d.WriteTo(out)
	if err2 := out.Close(); err == nil {
		err = err2
	}
	fmt.Printf("%s: %d bytes, %d ranges\n", path, n, len(d.Memory64))
	return err
}

// memory joins the pieces; where they overlap, the last one counts.
func (c *cutter) memory() []dumptest.MemoryRange {
	const block = 16
	blocks := map[uint64]*[block]byte{}
	has := map[uint64]uint16{}
	for _, p := range c.kept {
		for i, b := range p.data {
			a := p.start + uint64(i)
			if blocks[a/block] == nil {
				blocks[a/block] = new([block]byte)
			}
			blocks[a/block][a%block] = b
			has[a/block] |= 1 << (a % block)
		}
	}
	var order []uint64
	for a := range blocks {
		order = append(order, a)
	}
	slices.Sort(order)
	var out []dumptest.MemoryRange
	for _, a := range order {
		// A byte between two that were read is read from the dump, so that pieces are few.
		b := blocks[a]
		for i := range block {
			if has[a]>>i&1 == 0 {
				c.mem.ReadAt(b[i:i+1], minidump.VA(a*block+uint64(i)))
			}
		}
		if n := len(out); n > 0 && out[n-1].Start+uint64(len(out[n-1].Data)) == a*block {
			out[n-1].Data = append(out[n-1].Data, b[:]...)
			continue
		}
		out = append(out, dumptest.MemoryRange{Start: a * block, Data: slices.Clone(b[:])})
	}
	slices.SortFunc(out, func(a, b dumptest.MemoryRange) int { return cmp.Compare(a.Start, b.Start) })
	return out
}
