package hardware

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
)

// key is a key of a hardware file.
type key struct {
	path    string // "pe.rows"
	example string // of a value; of a key that must be there
	needed  bool
	kind    *units.Kind             // of a quantity with a unit
	schema  *config.Schema          // of the value; nil: any text
	set     func(text string) error // says what is wrong, and what would be accepted
}

// file is a hardware file being read.
type file struct {
	*config.Document
	keys  []key
	given map[string]bool // keys that are there, and sections
	hw    Hardware

	shared         Buffer // onchip.capacity and what belongs to it
	banks          [1 + role.Buffers]int
	device         string
	channels       int
	ranks          int
	mapping        string
	transfers      int64 // a second, on a data pin of the DRAM
	energyTable    string
	workloadSized  bool
	bufferSections []string
}

// Read parses a hardware file. An energy table that it names is looked for
// beside it.
func Read(text []byte, filename string) (*Hardware, error) {
	d, err := Parse(text, filename)
	if err != nil {
		return nil, err
	}
	return Decode(d)
}

// Parse reads the keys and values of a hardware file, whatever they are.
func Parse(text []byte, filename string) (*config.Document, error) {
	return config.Parse(text, filename, "a hardware file")
}

// Decode returns the hardware that a document describes. Errors are
// [config.Error].
func Decode(d *config.Document) (*Hardware, error) {
	f := &file{Document: d, given: map[string]bool{}}
	f.hw = Hardware{
		Name: input.Printable(strings.TrimSuffix(filepath.Base(d.File), filepath.Ext(d.File))), Engines: 1, Groups: 1,
	}
	f.listKeys()
	for _, read := range []func() error{f.readKeys, f.checkNeeded, f.checkOnChip, f.checkDRAM, f.readEnergy} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return &f.hw, nil
}

// oneLine keeps a text to one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// cutLast splits the last name off a key.
func cutLast(key string) (section, name string) {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i], key[i+1:]
	}
	return "", key
}

func (f *file) readKeys() error { return f.section(f.Root, "") }

// section reads the keys of a mapping.
func (f *file) section(n *config.Node, path string) error {
	accepted := f.names(path)
	if n.Kind != config.Mapping {
		return f.At(n.Line, path, "is not a mapping of keys to values; there are %s", strings.Join(accepted, ", "))
	}
	for _, p := range n.Pairs {
		full := strings.TrimPrefix(path+"."+p.Name, ".")
		if !slices.Contains(accepted, p.Name) {
			return f.At(p.Line, full, "%s", config.NotAKey(p.Name, accepted))
		}
		f.given[full] = true
		k := slices.IndexFunc(f.keys, func(k key) bool { return k.path == full })
		read := func() error { return f.section(p.Value, full) }
		if k >= 0 {
			read = func() error { return f.value(p.Value, &f.keys[k]) }
		}
		if err := read(); err != nil {
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

func (f *file) value(n *config.Node, k *key) error {
	text := strings.TrimSpace(n.Text)
	switch {
	case n.Kind == config.Mapping || n.Kind == config.Sequence:
		return f.At(n.Line, k.path, "is not a single value; write for example %s", k.example)
	case n.Kind == config.Null || text == "":
		return f.At(n.Line, k.path, "has no value; write for example %s", k.example)
	}
	if err := k.set(text); err != nil {
		return f.At(n.Line, k.path, "%w", err)
	}
	return nil
}

// listKeys says what a hardware file may have, and where each value goes.
func (f *file) listKeys() {
	needed := func(path, example string, set func(string) error) {
		f.keys = append(f.keys, key{path: path, example: example, needed: true, set: set})
	}
	optional := func(path, example string, set func(string) error) {
		f.keys = append(f.keys, key{path: path, example: example, set: set})
	}
	quantity := func(path string, form units.Form, needed bool, set func(float64)) {
		f.keys = append(f.keys, key{path, form.Example, needed, form.Kind, quantitySchema(form), func(text string) error {
			v, err := form.Parse(text)
			if err == nil {
				set(v)
			}
			return err
		}})
	}
	word := func(path, example string, names []string, set func(string) error) {
		f.keys = append(f.keys, key{path: path, example: example, schema: config.Word(names...), set: set})
	}
	array := &f.hw.PE
	optional("name", "my-board", text(&f.hw.Name))
	optional("note", "what it is, in a line", text(&f.hw.Note))

	f.keys = append(f.keys, count("pe.rows", "16", true, &array.Rows, 1))
	f.keys = append(f.keys, count("pe.columns", "28", true, &array.Columns, 1))
	f.keys = append(f.keys, count("pe.lanes", "64", true, &array.Lanes, 1))
	f.keys = append(f.keys, count("pe.pipeline", "8", false, &array.Pipeline, 0))
	quantity("pe.clock", clocks, true, func(hz float64) { array.Clock = units.Hertz(hz) })
	word("pe.dataflow", "gated", pe.Dataflows(), func(text string) (err error) {
		array.Dataflow, err = pe.ParseDataflow(text)
		return err
	})
	word("pe.precision", "fp32", pe.Precisions(), func(text string) (err error) {
		array.Precision, err = pe.ParsePrecision(text)
		return err
	})
	groups := count("pe.groups", "1", false, &f.hw.Groups, 1)
	groups.schema = groups.schema.Or(config.Word(groupForEveryBlock))
	groups.set = func(text string) error {
		if text == groupForEveryBlock {
			f.hw.Groups = 0
			return nil
		}
		if err := whole(&f.hw.Groups, 1)(text); err != nil {
			return fmt.Errorf("%w, or %s for one for every local block", err, groupForEveryBlock)
		}
		return nil
	}
	f.keys = append(f.keys, groups)

	f.listBuffer("onchip", &f.shared, &f.banks[0], func(text string) error {
		if text == workloadSized {
			f.workloadSized = true
			return nil
		}
		return capacity(&f.shared.Capacity, capacities.Or(workloadSized))(text)
	})
	for b := range f.hw.Buffers {
		section := "onchip." + role.Buffer(b).String()
		f.bufferSections = append(f.bufferSections, section)
		of := &f.hw.Buffers[b]
		f.listBuffer(section, of, &f.banks[1+b], capacity(&of.Capacity, capacities))
	}
	f.keys = append(f.keys, count("dma.engines", "1", false, &f.hw.Engines, 1))

	needed("dram.device", "ddr4-2400", text(&f.device))
	quantity("dram.rate", rates, false, func(millions float64) { f.transfers = int64(millions * 1e6) })
	f.keys = append(f.keys, count("dram.channels", "1", true, &f.channels, 1))
	f.keys = append(f.keys, count("dram.ranks", "1", true, &f.ranks, 1))
	optional("dram.mapping", "rorabacobgch", text(&f.mapping))
	optional("energy", energy.Builtin+", or the name of a file", func(text string) error { f.energyTable = text; return nil })
}

// listBuffer adds the keys of one buffer.
func (f *file) listBuffer(section string, b *Buffer, banks *int, setCapacity func(string) error) {
	f.keys = append(f.keys,
		key{section + ".capacity", "512KiB", false, units.Memory, quantitySchema(capacities), setCapacity},
		key{section + ".bank", "32KiB", false, units.Memory, quantitySchema(bankSizes), func(text string) error {
			v, err := bankSizes.Parse(text)
			b.Bank = units.Bytes(v)
			return err
		}},
		count(section+".banks", "16", false, banks, 1),
		count(section+".ports", "2", false, &b.Ports, 1),
	)
}

// groupForEveryBlock is written for as many PE groups as there are local blocks.
const groupForEveryBlock = "block"

// workloadSized is written for a layer buffer as large as the workload asks.
const workloadSized = "workload"

// maxCount is what is plausible; it keeps products of sizes within 64 bits.
const maxCount = 1 << 16

// text reads any value, as one line that can be printed.
func text(to *string) func(string) error {
	return func(text string) error {
		*to = input.Printable(oneLine(text))
		return nil
	}
}

// count is a key whose value is a whole number.
func count[T ~int | ~int64](path, example string, needed bool, to *T, least int64) key {
	return key{path: path, example: example, needed: needed, schema: config.Whole(float64(least), maxCount), set: whole(to, least)}
}

// whole reads a whole number.
func whole[T ~int | ~int64](to *T, least int64) func(string) error {
	return func(text string) error {
		v, err := units.ParseInteger(text)
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
func capacity(to *units.Bytes, sizes units.Form) func(string) error {
	return func(text string) error {
		v, err := sizes.Parse(text)
		*to = units.Bytes(v)
		return err
	}
}

// ParseCapacity reads the size of a buffer as hardware files write it: "2MiB".
func ParseCapacity(text string) (v units.Bytes, err error) {
	err = capacity(&v, capacities)(strings.TrimSpace(text))
	return v, err
}

// checkNeeded looks for keys that must be there.
func (f *file) checkNeeded() error {
	for _, k := range f.keys {
		if !k.needed || f.given[k.path] {
			continue
		}
		section, name := cutLast(k.path)
		if !f.given[section] {
			return f.On(section, "is missing; it has the keys %s", strings.Join(f.names(section), ", "))
		}
		return f.On(k.path, "is missing; write for example %s: %s", name, k.example)
	}
	return nil
}

// checkOnChip takes the layer buffer: one, or one for each kind of tensor.
func (f *file) checkOnChip() error {
	kinds := strings.ReplaceAll(strings.Join(f.bufferSections, ", "), "onchip.", "")
	either := "write one shared buffer, for example capacity: 2MiB, or one for each kind of tensor: " + kinds
	if !f.given["onchip"] {
		return f.On("onchip", "is missing; %s", either)
	}
	separate := ""
	for _, s := range f.bufferSections {
		if f.given[s] {
			separate = s
			break
		}
	}
	if separate == "" {
		if !f.given["onchip.capacity"] {
			return f.On("onchip.capacity", "is missing; %s", either)
		}
		if err := f.checkBuffer("onchip", &f.shared, f.banks[0]); err != nil {
			return err
		}
		f.hw.OnChip, f.hw.Bank, f.hw.Ports = f.shared.Capacity, f.shared.Bank, f.shared.Ports
		return nil
	}
	for _, name := range []string{"capacity", "bank", "banks", "ports"} {
		if shared := "onchip." + name; f.given[shared] {
			return f.On(shared, "belongs to one shared buffer, but there is %s; %s", separate, either)
		}
	}
	f.hw.Separate, f.hw.Bank = true, defaultBank
	for b, s := range f.bufferSections {
		switch {
		case !f.given[s]:
			return f.On(s, "is missing; where one kind of tensor has a buffer, each has: %s", kinds)
		case !f.given[s+".capacity"]:
			return f.On(s+".capacity", "is missing; write for example capacity: 512KiB")
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
		return f.On(key, "as large a buffer as the workload asks for has as many banks as that takes; write the size of one, for example bank: 32KiB")
	case b.Capacity%units.Bytes(banks) != 0:
		return f.On(key, "%d banks do not divide %s; write for example %d", banks, sizeText(b.Capacity), divisor(b.Capacity, banks))
	case size < f.hw.PE.Precision.Word():
		return f.On(key, "%d banks of %s are smaller than a word; write at most %d", banks, sizeText(b.Capacity), b.Capacity/f.hw.PE.Precision.Word())
	case b.Bank != 0 && b.Bank != size:
		return f.On(key, "%d banks of %s are not %s; leave out banks or bank", banks, sizeText(b.Bank), sizeText(b.Capacity))
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
	return strings.Replace(b.Text(), " ", "", 1)
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
		return f.On("dram.device", "%v", err)
	}
	if f.transfers > 0 {
		period := units.Picoseconds(int64(units.Second) * int64(device.Beats()) / f.transfers)
		if off := period - device.Clock; off < -clockRounding || off > clockRounding {
			return f.On("dram.rate", "%s makes %d million transfers a second, not %dMT/s; leave the key out, or take another device: %s",
				f.device, int64(units.Second)*int64(device.Beats())/int64(device.Clock)/1e6, f.transfers/1e6, strings.Join(dram.Names(), ", "))
		}
	}
	device = device.WithChannels(f.channels)
	if err := device.Validate(); err != nil {
		return f.On("dram.channels", "%v", err)
	}
	device = device.WithRanks(f.ranks)
	if err := device.Validate(); err != nil {
		return f.On("dram.ranks", "%v", err)
	}
	if f.mapping == "" {
		f.mapping = device.StreamMapping()
	}
	f.hw.DRAM = device.WithMapping(f.mapping)
	if err := f.hw.DRAM.Validate(); err != nil {
		return f.On("dram.mapping", "%v", err)
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
		f.hw.Energy, err = energy.Open(filepath.Join(filepath.Dir(f.File), name))
	}
	if err != nil {
		return f.On("energy", "%v; write %s, or name a file like it", err, energy.Builtin)
	}
	if _, err := f.hw.Energy.Idle(f.hw.PE.Precision); err != nil {
		return f.On("energy", "%v", err)
	}
	return nil
}
