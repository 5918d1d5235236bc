package hardware

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"accelsim/dram"
	"accelsim/energy"
	"accelsim/network"
	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/units"
)

// Error says what is wrong with a hardware file, and what would be accepted.
type Error struct {
	File    string
	Line    int    // 0 if it is no line's
	Key     string // "" if it is no key's
	Problem string
}

// Error puts file, line and key before the problem.
func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where += ":" + strconv.Itoa(e.Line)
	}
	if e.Key != "" {
		where += ": " + e.Key
	}
	return where + ": " + e.Problem
}

// key is a key of a hardware file.
type key struct {
	path    string // "pe.rows"
	example string // of a value; of a key that must be there
	needed  bool
	set     func(text string) error // says what is wrong, and what would be accepted
}

// file is a hardware file being read.
type file struct {
	name  string
	keys  []key
	lines map[string]int // of the keys that are there, and of sections
	hw    Hardware

	shared         Buffer // onchip.capacity and what belongs to it
	banks          [1 + schedule.NumBuffers]int
	device         string
	channels       int
	ranks          int
	mapping        string
	transfers      int64  // a second, on a data pin of the DRAM
	transfersText  string // as written
	energyTable    string
	workloadSized  bool
	bufferSections []string
}

// Read parses a hardware file. An energy table that it names is looked for
// beside it.
func Read(text []byte, filename string) (*Hardware, error) {
	f := &file{name: filename, lines: map[string]int{}}
	f.hw = Hardware{
		Name: strings.TrimSuffix(filepath.Base(filename), filepath.Ext(filename)), Engines: 1, Groups: 1,
	}
	f.listKeys()
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, f.unreadable(err)
	}
	read := false
	for _, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType {
			continue
		}
		if read {
			return nil, f.at(doc.Body, "", "a second document; a hardware file is one")
		}
		read = true
		if err := f.section(doc.Body, ""); err != nil {
			return nil, err
		}
	}
	if !read {
		return nil, &Error{File: filename, Problem: "is empty"}
	}
	for _, check := range []func() error{f.checkNeeded, f.checkOnChip, f.checkDRAM, f.readEnergy} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return &f.hw, nil
}

// unreadable says where the text is no YAML.
func (f *file) unreadable(err error) error {
	var detailed yaml.Error
	if errors.As(err, &detailed) && detailed.GetToken() != nil && detailed.GetToken().Position != nil {
		return &Error{File: f.name, Line: detailed.GetToken().Position.Line, Problem: oneLine(detailed.GetMessage())}
	}
	return &Error{File: f.name, Problem: oneLine(err.Error())}
}

// oneLine keeps a message to the one line that goes to stderr.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// at is an error about a node.
func (f *file) at(n ast.Node, key, format string, args ...any) error {
	e := &Error{File: f.name, Key: key, Problem: fmt.Sprintf(format, args...)}
	if t := n.GetToken(); t != nil && t.Position != nil {
		e.Line = t.Position.Line
	}
	return e
}

// on is an error about a key, whether it is there or in a section that is.
func (f *file) on(key, format string, args ...any) error {
	e := &Error{File: f.name, Key: key, Problem: fmt.Sprintf(format, args...)}
	for path := key; e.Line == 0 && path != ""; {
		e.Line = f.lines[path]
		path, _ = cutLast(path)
	}
	e.Line = max(e.Line, 1)
	return e
}

// cutLast splits the last name off a key.
func cutLast(key string) (section, name string) {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i], key[i+1:]
	}
	return "", key
}

// section reads the keys of a mapping.
func (f *file) section(n ast.Node, path string) error {
	m, ok := n.(ast.MapNode)
	if !ok {
		if path == "" {
			return f.at(n, "", "is not a mapping of keys to values; there are %s", strings.Join(f.names(""), ", "))
		}
		return f.at(n, path, "is not a mapping of keys to values; there are %s", strings.Join(f.names(path), ", "))
	}
	for pairs := m.MapRange(); pairs.Next(); {
		pair := pairs.KeyValue()
		scalar, ok := pair.Key.(ast.ScalarNode)
		if !ok {
			return f.at(pair.Key, path, "has a key that is not a name")
		}
		name := scalar.GetToken().Value
		full := name
		if path != "" {
			full = path + "." + name
		}
		if f.lines[full] > 0 {
			return f.at(pair.Key, full, "is there twice")
		}
		accepted := f.names(path)
		if !slices.Contains(accepted, name) {
			return f.at(pair.Key, full, "is not a key%s; there are %s", network.Suggest(name, accepted), strings.Join(accepted, ", "))
		}
		f.lines[full] = pair.Key.GetToken().Position.Line
		k := slices.IndexFunc(f.keys, func(k key) bool { return k.path == full })
		if k < 0 {
			if err := f.section(pair.Value, full); err != nil {
				return err
			}
			continue
		}
		if err := f.value(pair.Value, &f.keys[k]); err != nil {
			return err
		}
	}
	return nil
}

// names lists the keys of a section, in order.
func (f *file) names(section string) (list []string) {
	for _, k := range f.keys {
		rest := k.path
		if section != "" {
			var ok bool
			if rest, ok = strings.CutPrefix(k.path, section+"."); !ok {
				continue
			}
		}
		if name, _, _ := strings.Cut(rest, "."); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func (f *file) value(n ast.Node, k *key) error {
	if _, ok := n.(ast.ScalarNode); !ok {
		return f.at(n, k.path, "is not a single value; write for example %s", k.example)
	}
	text := strings.TrimSpace(n.GetToken().Value)
	if block, ok := n.(*ast.LiteralNode); ok {
		text = strings.TrimSpace(block.Value.Value)
	}
	if n.Type() == ast.NullType || text == "" {
		return f.at(n, k.path, "has no value; write for example %s", k.example)
	}
	if err := k.set(text); err != nil {
		return f.at(n, k.path, "%v", err)
	}
	return nil
}

// listKeys says what a hardware file may have, and where each value goes.
func (f *file) listKeys() {
	needed := func(path, example string, set func(string) error) {
		f.keys = append(f.keys, key{path, example, true, set})
	}
	optional := func(path, example string, set func(string) error) {
		f.keys = append(f.keys, key{path, example, false, set})
	}
	array := &f.hw.PE
	optional("name", "my-board", text(&f.hw.Name))
	optional("note", "what it is, in a line", text(&f.hw.Note))

	needed("pe.rows", "16", whole(&array.Rows, 1))
	needed("pe.columns", "28", whole(&array.Columns, 1))
	needed("pe.lanes", "64", whole(&array.Lanes, 1))
	optional("pe.pipeline", "8", whole(&array.Pipeline, 0))
	needed("pe.clock", clockExample, func(text string) error {
		hz, err := quantity(text, clockExample, clockUnits)
		array.Clock = units.Hertz(hz)
		if err == nil && array.Clock > maxClock {
			err = fmt.Errorf("%s is above 10GHz", text)
		}
		return err
	})
	optional("pe.dataflow", "gated", func(text string) (err error) {
		array.Dataflow, err = pe.ParseDataflow(text)
		return err
	})
	optional("pe.precision", "fp32", func(text string) (err error) {
		array.Precision, err = pe.ParsePrecision(text)
		return err
	})
	optional("pe.groups", "1", func(text string) error {
		if text == groupForEveryBlock {
			f.hw.Groups = 0
			return nil
		}
		if err := whole(&f.hw.Groups, 1)(text); err != nil {
			return fmt.Errorf("%w, or %s for one for every local block", err, groupForEveryBlock)
		}
		return nil
	})

	f.listBuffer("onchip", &f.shared, &f.banks[0], func(text string) error {
		if text == workloadSized {
			f.workloadSized = true
			return nil
		}
		return capacity(&f.shared.Capacity, "2MiB or "+workloadSized)(text)
	})
	for b := range f.hw.Buffers {
		section := "onchip." + schedule.Buffer(b).String()
		f.bufferSections = append(f.bufferSections, section)
		of := &f.hw.Buffers[b]
		f.listBuffer(section, of, &f.banks[1+b], capacity(&of.Capacity, "512KiB"))
	}
	optional("dma.engines", "1", whole(&f.hw.Engines, 1))

	needed("dram.device", "ddr4-2400", text(&f.device))
	optional("dram.rate", rateExample, func(text string) (err error) {
		f.transfersText = text
		f.transfers, err = quantity(text, rateExample, rateUnits)
		return err
	})
	needed("dram.channels", "1", whole(&f.channels, 1))
	needed("dram.ranks", "1", whole(&f.ranks, 1))
	optional("dram.mapping", "rorabacobgch", text(&f.mapping))
	optional("energy", energy.Builtin+", or the name of a file", text(&f.energyTable))
}

// listBuffer adds the keys of one buffer.
func (f *file) listBuffer(section string, b *Buffer, banks *int, setCapacity func(string) error) {
	f.keys = append(f.keys,
		key{section + ".capacity", "512KiB", false, setCapacity},
		key{section + ".bank", "32KiB", false, func(text string) error {
			v, err := quantity(text, "32KiB", byteUnits)
			b.Bank = units.Bytes(v)
			return err
		}},
		key{section + ".banks", "16", false, whole(banks, 1)},
		key{section + ".ports", "2", false, whole(&b.Ports, 1)},
	)
}

// groupForEveryBlock is written for as many PE groups as there are local blocks.
const groupForEveryBlock = "block"

// workloadSized is written for an on-chip buffer as large as the workload asks.
const workloadSized = "workload"

// Bounds of what is plausible: they keep products of sizes within 64 bits.
const (
	maxCount = 1 << 16
	maxClock = 10 * units.GHz
)

const (
	clockExample = "200MHz"
	rateExample  = "2400MT/s"
)

var (
	byteUnits  = []unit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
	clockUnits = []unit{{"GHz", 1e9}, {"MHz", 1e6}, {"kHz", 1e3}, {"Hz", 1}}
	rateUnits  = []unit{{"GT/s", 1e9}, {"MT/s", 1e6}}
)

type unit struct {
	name  string
	scale float64
}

// text reads any value.
func text(to *string) func(string) error {
	return func(text string) error {
		*to = oneLine(text)
		return nil
	}
}

// whole reads a whole number.
func whole[T ~int | ~int64](to *T, least int64) func(string) error {
	return func(text string) error {
		v, err := strconv.ParseInt(text, 10, 64)
		switch {
		case errors.Is(err, strconv.ErrSyntax):
			return fmt.Errorf("%q is not a whole number; write %d to %d", text, least, maxCount)
		case err != nil || v < least || v > maxCount:
			return fmt.Errorf("%s is out of range; write %d to %d", text, least, maxCount)
		}
		*to = T(v)
		return nil
	}
}

// capacity reads the size of a buffer.
func capacity(to *units.Bytes, example string) func(string) error {
	return func(text string) error {
		v, err := quantity(text, example, byteUnits)
		if err == nil && v < int64(units.KiB) {
			err = fmt.Errorf("%d bytes hold nothing; write at least 1KiB", v)
		}
		*to = units.Bytes(v)
		return err
	}
}

// ParseCapacity reads the size of a buffer as hardware files write it: "2MiB".
func ParseCapacity(text string) (v units.Bytes, err error) {
	err = capacity(&v, "2MiB")(strings.TrimSpace(text))
	return v, err
}

// maxQuantity keeps sizes and clocks far from overflow.
const maxQuantity = 1e15

// quantity reads a number with one of the units.
func quantity(text, example string, accepted []unit) (int64, error) {
	number, name := cutUnit(text)
	if name == "" {
		if _, err := strconv.ParseFloat(number, 64); err == nil {
			return 0, fmt.Errorf("%q has no unit; write for example %s", text, example)
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number with a unit; write for example %s", text, example)
	}
	var names []string
	for _, u := range accepted {
		if u.name == name {
			if v*u.scale < 1 || v*u.scale > maxQuantity || v != v {
				return 0, fmt.Errorf("%q is out of range; write for example %s", text, example)
			}
			return int64(v * u.scale), nil
		}
		names = append(names, u.name)
	}
	slices.Reverse(names)
	return 0, fmt.Errorf("%q is in %s; write it in %s, for example %s", text, name, strings.Join(names, ", "), example)
}

// cutUnit splits the letters off a number's end.
func cutUnit(text string) (number, unit string) {
	number = strings.TrimRightFunc(text, func(c rune) bool {
		return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '/'
	})
	return strings.TrimSpace(number), text[len(number):]
}

// checkNeeded looks for keys that must be there.
func (f *file) checkNeeded() error {
	for _, k := range f.keys {
		if !k.needed || f.lines[k.path] > 0 {
			continue
		}
		section, name := cutLast(k.path)
		if f.lines[section] == 0 {
			return f.on(section, "is missing; it has the keys %s", strings.Join(f.names(section), ", "))
		}
		return f.on(k.path, "is missing; write for example %s: %s", name, k.example)
	}
	return nil
}

// checkOnChip takes the layer buffer: one, or one for each kind of tensor.
func (f *file) checkOnChip() error {
	kinds := strings.ReplaceAll(strings.Join(f.bufferSections, ", "), "onchip.", "")
	either := "write one shared buffer, for example capacity: 2MiB, or one for each kind of tensor: " + kinds
	if f.lines["onchip"] == 0 {
		return f.on("onchip", "is missing; %s", either)
	}
	separate := ""
	for _, s := range f.bufferSections {
		if f.lines[s] > 0 {
			separate = s
			break
		}
	}
	if separate == "" {
		if f.lines["onchip.capacity"] == 0 {
			return f.on("onchip.capacity", "is missing; %s", either)
		}
		if err := f.checkBuffer("onchip", &f.shared, f.banks[0]); err != nil {
			return err
		}
		f.hw.OnChip, f.hw.Bank, f.hw.Ports = f.shared.Capacity, f.shared.Bank, f.shared.Ports
		return nil
	}
	for _, name := range []string{"capacity", "bank", "banks", "ports"} {
		if shared := "onchip." + name; f.lines[shared] > 0 {
			return f.on(shared, "belongs to one shared buffer, but there is %s; %s", separate, either)
		}
	}
	f.hw.Separate, f.hw.Bank = true, defaultBank
	for b, s := range f.bufferSections {
		switch {
		case f.lines[s] == 0:
			return f.on(s, "is missing; where one kind of tensor has a buffer, each has: %s", kinds)
		case f.lines[s+".capacity"] == 0:
			return f.on(s+".capacity", "is missing; write for example capacity: 512KiB")
		}
		if err := f.checkBuffer(s, &f.hw.Buffers[b], f.banks[1+b]); err != nil {
			return err
		}
		f.hw.OnChip += f.hw.Buffers[b].Capacity
	}
	return nil
}

// checkBuffer fixes the size of a buffer's banks, and how many accesses they
// take.
func (f *file) checkBuffer(section string, b *Buffer, banks int) error {
	key := section + ".banks"
	switch size := b.Capacity / units.Bytes(max(banks, 1)); {
	case banks == 0:
		if b.Bank == 0 {
			b.Bank = defaultBank
		}
		return nil
	case f.workloadSized:
		return f.on(key, "as large a buffer as the workload asks for has as many banks as that takes; write the size of one, for example bank: 32KiB")
	case b.Capacity%units.Bytes(banks) != 0:
		return f.on(key, "%d banks do not divide %s; write for example %d", banks, sizeText(b.Capacity), divisor(b.Capacity, banks))
	case size < f.hw.PE.Precision.Word():
		return f.on(key, "%d banks of %s are smaller than a word; write at most %d", banks, sizeText(b.Capacity), b.Capacity/f.hw.PE.Precision.Word())
	case b.Bank != 0 && b.Bank != size:
		return f.on(key, "%d banks of %s are not %s; leave out banks or bank", banks, sizeText(b.Bank), sizeText(b.Capacity))
	default:
		b.Bank = size
	}
	if b.Ports == 0 {
		b.Ports = 1
	}
	return nil
}

// divisor returns the largest number up to n that divides the capacity.
func divisor(capacity units.Bytes, n int) int {
	for capacity%units.Bytes(n) != 0 {
		n--
	}
	return n
}

// sizeText prints bytes in the largest unit that keeps them whole.
func sizeText(b units.Bytes) string {
	for _, u := range byteUnits {
		if scale := units.Bytes(u.scale); b%scale == 0 {
			return fmt.Sprintf("%d%s", b/scale, u.name)
		}
	}
	return fmt.Sprintf("%dB", b)
}

// clockRounding is how far a device's tCK may be from the period of its rate:
// .ini files give it in nanoseconds with two digits.
const clockRounding units.Picoseconds = 5

// checkDRAM finds the device and gives it its channels, ranks and mapping.
func (f *file) checkDRAM() error {
	device, err := dram.Lookup(f.device)
	if rate := f.transfers / 1e6; err != nil && rate > 0 {
		// A standard, such as ddr4, whose rate picks the device.
		if d, ok := dram.Lookup(fmt.Sprintf("%s-%d", f.device, rate)); ok == nil {
			device, err = d, nil
		}
	}
	if err != nil {
		return f.on("dram.device", "%v", err)
	}
	if f.transfers > 0 {
		period := units.Picoseconds(int64(units.Second) * int64(device.Beats()) / f.transfers)
		if off := period - device.Clock; off < -clockRounding || off > clockRounding {
			return f.on("dram.rate", "%s makes %d million transfers a second, not %s; leave the key out, or take another device: %s",
				f.device, int64(units.Second)*int64(device.Beats())/int64(device.Clock)/1e6, f.transfersText, strings.Join(dram.Names(), ", "))
		}
	}
	device = device.WithChannels(f.channels)
	if err := device.Validate(); err != nil {
		return f.on("dram.channels", "%v", err)
	}
	device = device.WithRanks(f.ranks)
	if err := device.Validate(); err != nil {
		return f.on("dram.ranks", "%v", err)
	}
	if f.mapping == "" {
		f.mapping = device.StreamMapping()
	}
	f.hw.DRAM = device.WithMapping(f.mapping)
	if err := f.hw.DRAM.Validate(); err != nil {
		return f.on("dram.mapping", "%v", err)
	}
	return nil
}

// readEnergy reads the energy table that the file names.
func (f *file) readEnergy() (err error) {
	switch name := f.energyTable; {
	case name == "" || name == energy.Builtin:
		f.hw.Energy = energy.Default()
		return nil
	case filepath.IsAbs(name):
		f.hw.Energy, err = energy.Open(name)
	default:
		f.hw.Energy, err = energy.Open(filepath.Join(filepath.Dir(f.name), name))
	}
	if err != nil {
		return f.on("energy", "%v; write %s, or name a file like it", err, energy.Builtin)
	}
	return nil
}
