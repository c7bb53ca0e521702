package clrmeta

import (
	"fmt"
	"sort"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// maxNesting is how deep classes may lie in one another; compilers write fewer
// than ten levels.
const maxNesting = 64

// Assembly returns the name of the assembly, "System.Private.CoreLib", or "" for
// a module that is not its first.
func (m *Metadata) Assembly() (string, error) {
	if m.rows[tableAssembly] == 0 {
		return "", nil
	}
	row, err := m.row(tableAssembly, 1)
	if err != nil {
		return "", err
	}
	return m.text(row[7])
}

// AssemblyName returns where the name of the assembly stands, in bytes from the
// start of the metadata: its runtime keeps a pointer to this place.
func (m *Metadata) AssemblyName() (int64, error) {
	row, err := m.row(tableAssembly, 1)
	if err != nil {
		return 0, err
	}
	return m.strings.off + int64(row[7]), nil
}

// Module returns the name of the module, as a rule that of its file:
// "orders.dll".
func (m *Metadata) Module() (string, error) {
	row, err := m.row(tableModule, 1)
	if err != nil {
		return "", err
	}
	return m.text(row[1])
}

// Types returns how many classes the module defines: their rows in the table
// TypeDef count from 1.
func (m *Metadata) Types() int { return int(m.rows[tableTypeDef]) }

// TypeName returns the full name of the class in a row of the table TypeDef, the
// way the runtime writes it: "Orders.Cache+Entry", "Orders.Ledger`1".
func (m *Metadata) TypeName(rid uint32) (string, error) {
	name := ""
	for range maxNesting {
		row, err := m.row(tableTypeDef, rid)
		if err != nil {
			return "", err
		}
		full, err := m.join(row[2], row[1])
		if err != nil {
			return "", err
		}
		if name != "" {
			full += "+" + name
		}
		const visibility, nested = 7, 2 // II.23.1.15: from NestedPublic on
		if row[0]&visibility < nested {
			return full, nil
		}
		name = full
		if rid, err = m.enclosing(rid); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("a class lies in more than %d others", maxNesting)
}

// enclosing returns the class in which a nested one lies. The table is sorted by
// the nested ones (II.22).
func (m *Metadata) enclosing(rid uint32) (uint32, error) {
	n := int(m.rows[tableNestedClass])
	var failed error
	var row []uint32
	at := func(i int) uint32 {
		if failed == nil {
			row, failed = m.row(tableNestedClass, uint32(i)+1)
		}
		if failed != nil {
			return 0
		}
		return row[0]
	}
	i := sort.Search(n, func(i int) bool { return at(i) >= rid })
	if failed == nil && i < n && at(i) == rid {
		return row[1], failed
	}
	if failed != nil {
		return 0, failed
	}
	return 0, fmt.Errorf("nothing says in which class the nested class %d lies", rid)
}

// join makes a name of the cells of namespace and name.
func (m *Metadata) join(namespace, name uint32) (string, error) {
	n, err := m.text(name)
	if err != nil {
		return "", err
	}
	if n == "" {
		return "", fmt.Errorf("a class without a name")
	}
	ns, err := m.text(namespace)
	if err != nil || ns == "" {
		return n, err
	}
	return ns + "." + n, nil
}

// Extends returns the full name of the class that the one in a row of the table
// TypeDef is derived from, whichever module that lies in; "" if it is derived
// from none, as System.Object and interfaces are. Of a generic class it is the
// name of the definition: what stands for its parameters is left out.
func (m *Metadata) Extends(rid uint32) (string, error) {
	row, err := m.row(tableTypeDef, rid)
	if err != nil {
		return "", err
	}
	cell := &m.cells[tableTypeDef][3]
	if row[3]>>cell.tag == 0 {
		return "", nil
	}
	t, to := cell.follow(row[3])
	return m.typeName(t, to)
}

// typeName names what an index of the kind TypeDefOrRef leads to.
func (m *Metadata) typeName(t table, rid uint32) (string, error) {
	switch t {
	case tableTypeDef:
		return m.TypeName(rid)
	case tableTypeRef:
		return m.refName(rid)
	case tableTypeSpec:
		return m.specName(rid)
	}
	return "", fmt.Errorf("an index that leads to no class")
}

// refName names a class of another module, which may lie in a class there.
func (m *Metadata) refName(rid uint32) (string, error) {
	name := ""
	for range maxNesting {
		row, err := m.row(tableTypeRef, rid)
		if err != nil {
			return "", err
		}
		full, err := m.join(row[2], row[1])
		if err != nil {
			return "", err
		}
		if name != "" {
			full += "+" + name
		}
		t, scope := m.cells[tableTypeRef][0].follow(row[0])
		if t != tableTypeRef {
			return full, nil
		}
		name, rid = full, scope
	}
	return "", fmt.Errorf("a class lies in more than %d others", maxNesting)
}

// specName names the generic class of a signature, II.23.2.14:
// GENERICINST CLASS TypeDefOrRefEncoded, and what stands for the parameters.
func (m *Metadata) specName(rid uint32) (string, error) {
	const genericInst, class, valueType = 0x15, 0x12, 0x11
	row, err := m.row(tableTypeSpec, rid)
	if err != nil {
		return "", err
	}
	if row[0] >= m.blobs.size {
		return "", &bounded.Error{Part: "#Blob", Off: int64(row[0]), Msg: "outside the heap"}
	}
	left := int(min(m.blobs.size-row[0], 4+2+4)) // length, GENERICINST CLASS, index
	c := bounded.Load("#Blob", m.blobs.off+int64(row[0]), left, m.r.ReadAt)
	compressed(c)
	inst, kind := c.U8(), c.U8()
	coded := compressed(c)
	if c.Err() != nil {
		return "", c.Err()
	}
	if inst != genericInst || kind != class && kind != valueType {
		return "", fmt.Errorf("the signature of class %d is of another kind", rid)
	}
	t, to := m.cells[tableTypeDef][3].follow(coded)
	if t == tableTypeSpec {
		return "", fmt.Errorf("a signature that leads to a signature")
	}
	return m.typeName(t, to)
}

// compressed reads a number of one to four bytes, II.23.2.
func compressed(c *bounded.Cursor) uint32 {
	b := uint32(c.U8())
	switch {
	case b&0x80 == 0:
		return b
	case b&0xc0 == 0x80:
		return b&0x3f<<8 | uint32(c.U8())
	}
	return b&0x1f<<24 | uint32(c.U8())<<16 | uint32(c.U8())<<8 | uint32(c.U8())
}
