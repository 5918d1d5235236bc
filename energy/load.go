package energy

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/units"
)

//go:embed 45nm.yaml
var builtin string

var defaultTable = sync.OnceValue(func() Table {
	var t Table
	if err := t.read([]byte(builtin), "45nm.yaml"); err != nil {
		panic(err) // part of this package
	}
	return t
})

// Default returns the built-in 45 nm table.
func Default() Table {
	t := defaultTable()
	t.Given = nil
	t.SRAMRead, t.SRAMWrite = slices.Clone(t.SRAMRead), slices.Clone(t.SRAMWrite)
	return t
}

// Builtin is the name by which hardware files call [Default].
const Builtin = "45nm"

// Open reads the table in a file, or returns the built-in one.
func Open(name string) (Table, error) {
	if name == Builtin {
		return Default(), nil
	}
	text, err := input.Text(name)
	if err != nil {
		return Table{}, err
	}
	return Load(bytes.NewReader(text), name)
}

// Load reads a table in the form of 45nm.yaml. Values that the file leaves out
// stay [Default]'s, but the capacities of sram.read or sram.write are replaced
// all together; a MAC follows its addition and multiplication unless given.
// A value without a source is said to be from the file. Unknown keys and
// values without a unit are errors, which name file, line and key.
func Load(r io.Reader, filename string) (Table, error) {
	text, err := input.TextFrom(r, filename)
	if err != nil {
		return Table{}, err
	}
	t := Default()
	t.Technology = "" // the file's values may be of another
	if err := t.read(text, filename); err != nil {
		return Table{}, err
	}
	if t.Technology == "" {
		t.Technology = filename
	}
	return t, nil
}

// field is where a key's value goes.
type field struct {
	key  string
	to   *Value
	unit Unit
}

// fields lists the single values; sram.read and sram.write have points.
func (t *Table) fields() []field {
	var list []field
	for p := range t.Operations {
		for op := range t.Operations[p] {
			list = append(list, field{operationKey(pe.Precision(p), pe.Op(op)), &t.Operations[p][op], Picojoule})
		}
	}
	return append(list, []field{
		{"pe.static", &t.PEStatic, Milliwatt},
		{"sram.static_per_kib", &t.SRAMStaticPerKiB, Milliwatt},
	}...)
}

// operationKey is the key of an operation's energy.
func operationKey(p pe.Precision, op pe.Op) string {
	if p == pe.FP32 && op == pe.Compare {
		return "pe.compare" // its name since before there were other precisions
	}
	return fmt.Sprintf("pe.%s_%s", op, p)
}

// operationOf is the inverse of operationKey.
func operationOf(key string) (pe.Precision, pe.Op, bool) {
	for p := range pe.NumPrecisions {
		for op := range pe.NumOps {
			if operationKey(pe.Precision(p), pe.Op(op)) == key {
				return pe.Precision(p), pe.Op(op), true
			}
		}
	}
	return 0, 0, false
}

const (
	technologyKey = "technology"
	readKey       = "sram.read"
	writeKey      = "sram.write"
)

// Entry is a table's value under the key that a file gives it.
type Entry struct {
	Key string
	Value
}

// Entries lists all values of the table.
func (t Table) Entries() []Entry {
	var list []Entry
	for _, f := range t.fields() {
		list = append(list, Entry{f.key, *f.to})
	}
	for _, p := range t.SRAMRead {
		list = append(list, Entry{readKey + "." + p.Capacity.Text(), p.Value})
	}
	for _, p := range t.SRAMWrite {
		list = append(list, Entry{writeKey + "." + p.Capacity.Text(), p.Value})
	}
	return list
}

// reader puts a file's values into a table.
type reader struct {
	*config.Document
	table *Table
	seen  map[string]bool
}

func (t *Table) read(text []byte, filename string) error {
	d, err := config.Parse(text, filename, "an energy table")
	if err != nil {
		return err
	}
	r := &reader{Document: d, table: t, seen: map[string]bool{}}
	if err := r.mapping(d.Root, "", r.top); err != nil {
		return err
	}
	if len(r.seen) == 0 {
		return fmt.Errorf("%s: holds no values; write for example pe: {add_fp32: 0.9 pJ}", filename)
	}
	for i := range t.Operations {
		p, of := pe.Precision(i), &t.Operations[i]
		add, multiply := operationKey(p, pe.Add), operationKey(p, pe.Multiply)
		if !r.seen[operationKey(p, pe.MAC)] && (r.seen[add] || r.seen[multiply]) {
			of[pe.MAC] = Value{
				Amount: of[pe.Add].Amount + of[pe.Multiply].Amount, Unit: Picojoule, Source: add + " + " + multiply,
			}
		}
	}
	return nil
}

// mapping calls each for every key of a mapping, with its path.
func (r *reader) mapping(n *config.Node, path string, each func(pair config.Pair, key string) error) error {
	if n.Kind != config.Mapping {
		return r.fail(n, path, "is not a mapping; write keys and values as in 45nm.yaml")
	}
	for _, pair := range n.Pairs {
		key := strings.TrimPrefix(path+"."+pair.Name, ".")
		r.seen[key] = true
		if err := each(pair, key); err != nil {
			return err
		}
	}
	return nil
}

// fail is an error about a value.
func (r *reader) fail(n *config.Node, key, format string, args ...any) error {
	return r.At(n.Line, key, format, args...)
}

// sections are the keys of the outermost mapping but technology.
var sections = []string{"pe", "sram"}

// unpriced are sections that tables of this form had, and why nothing reads them.
var unpriced = map[string]string{
	"register": "the machine does not count accesses to the registers of PEs",
	"dram":     "a device's energy comes from the currents in its own file",
}

func (r *reader) top(pair config.Pair, key string) error {
	if key == technologyKey {
		if pair.Value.Kind != config.Scalar {
			return r.fail(pair.Value, key, "is not text; write for example 45 nm")
		}
		r.table.Technology = input.Printable(strings.TrimSpace(pair.Value.Text))
		return nil
	}
	if why, ok := unpriced[key]; ok {
		return r.At(pair.Line, key, "changes nothing: %s; leave it out", why)
	}
	if !slices.Contains(sections, key) {
		return r.At(pair.Line, key, "%s", config.NotAKey(key, append([]string{technologyKey}, sections...)))
	}
	return r.mapping(pair.Value, key, r.section)
}

// give notes that the file gives a key a value.
func (r *reader) give(line int, key string) {
	r.table.Given = append(r.table.Given, Given{key, r.File, line})
}

func (r *reader) section(pair config.Pair, key string) error {
	switch key {
	case readKey:
		r.give(pair.Line, key)
		return r.points(pair.Value, key, &r.table.SRAMRead)
	case writeKey:
		r.give(pair.Line, key)
		return r.points(pair.Value, key, &r.table.SRAMWrite)
	}
	section, _, _ := strings.Cut(key, ".")
	known := []string{}
	for _, f := range r.table.fields() {
		if f.key == key {
			r.give(pair.Line, key)
			v, err := r.value(pair.Value, key, f.unit)
			*f.to = v
			return err
		}
		known = append(known, f.key)
	}
	known = append(known, readKey, writeKey)
	known = slices.DeleteFunc(known, func(k string) bool { return !strings.HasPrefix(k, section+".") })
	return r.At(pair.Line, key, "%s", config.NotAKey(key, known))
}

// points replaces the capacities of an SRAM's reads or writes.
func (r *reader) points(n *config.Node, key string, to *[]Point) error {
	var points []Point
	err := r.mapping(n, key, func(pair config.Pair, key string) error {
		capacity, err := capacities.Parse(pair.Name)
		if err != nil {
			return r.At(pair.Line, key, "%w", err)
		}
		v, err := r.value(pair.Value, key, Picojoule)
		points = append(points, Point{units.Bytes(capacity), v})
		return err
	})
	if err != nil {
		return err
	}
	if len(points) == 0 {
		return r.fail(n, key, "has no capacities; write for example {32 KiB: 10 pJ}")
	}
	slices.SortFunc(points, func(a, b Point) int { return cmp.Compare(a.Capacity, b.Capacity) })
	for i := 1; i < len(points); i++ {
		if points[i].Capacity == points[i-1].Capacity {
			return r.fail(n, key, "has %s twice", points[i].Capacity.Text())
		}
	}
	*to = points
	return nil
}

// value reads `0.9 pJ` or `{value: 0.9 pJ, source: "..."}`.
func (r *reader) value(n *config.Node, key string, unit Unit) (Value, error) {
	v := Value{Unit: unit, Source: fmt.Sprintf("%s:%d", r.File, n.Line)}
	if n.Kind != config.Mapping {
		var err error
		v.Amount, err = r.amount(n, key, unit)
		return v, err
	}
	given := false
	err := r.mapping(n, key, func(pair config.Pair, sub string) error {
		switch sub {
		case key + ".value":
			var err error
			v.Amount, err = r.amount(pair.Value, key, unit)
			given = true
			return err
		case key + ".source":
			if pair.Value.Kind != config.Scalar {
				return r.fail(pair.Value, sub, "is not text")
			}
			v.Source = input.Printable(strings.TrimSpace(pair.Value.Text))
			return nil
		}
		return r.At(pair.Line, sub, "%s", config.NotAKey(pair.Name, []string{"value", "source"}))
	})
	if err == nil && !given {
		err = r.fail(n, key, "has no value; write for example {value: 1 %s, source: ...}", unit)
	}
	return v, err
}

// maxAmount keeps sums far from overflow; nothing on a chip comes near it.
const maxAmount = 1e15

// forms are how a file writes what a table has in a unit, whatever the prefix.
var forms = map[Unit]units.Form{
	Picojoule: {Kind: units.Energy, In: string(Picojoule), Most: maxAmount, Bounds: "0 to 1000 J", Example: "1 pJ"},
	Milliwatt: {Kind: units.Power, In: string(Milliwatt), Most: maxAmount, Bounds: "0 to 1e12 W", Example: "1 mW"},
}

func (r *reader) amount(n *config.Node, key string, unit Unit) (float64, error) {
	form := forms[unit]
	if n.Kind != config.Scalar {
		return 0, r.fail(n, key, "is not a number with a unit; write for example %s", form.Example)
	}
	amount, err := form.Parse(n.Text)
	if err != nil {
		return 0, r.fail(n, key, "%w", err)
	}
	return amount, nil
}

// capacities are how a file writes the sizes of SRAMs.
var capacities = units.Form{Kind: units.Memory, In: "B", Least: 1, Most: 1 << 49, Bounds: "1 B to 524288 GiB", Whole: true, Example: "32 KiB"}
