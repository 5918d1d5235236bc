// Package hardware describes accelerators: built-in presets and hardware files.
//
// A hardware file is YAML with units: "200MHz", "2MiB". Adding a preset is
// adding one file to presets/.
package hardware

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"accelsim/dram"
	"accelsim/network"
	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/units"
)

// Hardware is one accelerator.
type Hardware struct {
	Name string
	Note string // what it stands for, said in reports
	PE   pe.Array
	// OnChip is the layer buffer's capacity; 0 is as much as the workload's
	// double-buffered schedule asks for.
	OnChip units.Bytes
	Bank   units.Bytes // of the layer buffer: what one access costs depends on it
	// Buffers are what the layer buffer consists of if Separate is set: one for
	// each kind of tensor. OnChip is then the sum of them.
	Separate bool
	Buffers  [schedule.NumBuffers]Buffer
	Engines  int // DMA engines of a PE group, each with one transfer under way
	// Groups is how many PE groups there are, each with its own array, lanes and
	// layer buffer; 0 is one for every local block.
	Groups int
	Word   units.Bytes // of one value: 4 with fp32
	DRAM   dram.Device
}

// Buffer is a memory on chip.
type Buffer struct {
	Capacity units.Bytes
	Banks    int
	Ports    int // of a bank: accesses in a clock
}

// defaultBank is the size of the banks that a layer buffer is built of: the
// largest for which [energy] cites a measured access below 1 MiB.
const defaultBank = 32 * units.KiB

//go:embed presets/*.yaml
var presets embed.FS

type file struct {
	Name string `yaml:"name"`
	Note string `yaml:"note"`
	PE   struct {
		Rows     int       `yaml:"rows"`
		Columns  int       `yaml:"columns"`
		Lanes    int       `yaml:"lanes"`
		Pipeline int       `yaml:"pipeline"`
		Clock    frequency `yaml:"clock"`
		Dataflow string    `yaml:"dataflow"`
	} `yaml:"pe"`
	OnChip struct {
		Capacity capacity `yaml:"capacity"`
		Bank     bankSize `yaml:"bank"`
	} `yaml:"onchip"`
	DRAM struct {
		Device   string `yaml:"device"`
		Channels int    `yaml:"channels"`
		Ranks    int    `yaml:"ranks"`
		Mapping  string `yaml:"mapping"`
	} `yaml:"dram"`
}

type frequency units.Hertz

// UnmarshalYAML reads "200MHz".
func (f *frequency) UnmarshalYAML(text []byte) error {
	v, err := quantity(text, "200MHz", []suffix{{"GHz", 1e9}, {"MHz", 1e6}, {"kHz", 1e3}, {"Hz", 1}})
	*f = frequency(v)
	return err
}

type capacity units.Bytes

// workloadSized is written for an on-chip buffer as large as the workload asks.
const workloadSized = "workload"

// UnmarshalYAML reads "2MiB", or "workload".
func (c *capacity) UnmarshalYAML(text []byte) error {
	if strings.TrimSpace(string(text)) == workloadSized {
		*c = 0
		return nil
	}
	v, err := quantity(text, "2MiB or workload", byteSuffixes)
	if err == nil && v < 1024 {
		err = fmt.Errorf("%d bytes hold nothing; write at least 1KiB", v)
	}
	*c = capacity(v)
	return err
}

type bankSize units.Bytes

// UnmarshalYAML reads "32KiB".
func (b *bankSize) UnmarshalYAML(text []byte) error {
	v, err := quantity(text, "32KiB", byteSuffixes)
	*b = bankSize(v)
	return err
}

var byteSuffixes = []suffix{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

type suffix struct {
	text  string
	scale float64
}

// quantity reads a number with one of the units.
func quantity(text []byte, example string, accepted []suffix) (int64, error) {
	s := strings.Trim(strings.TrimSpace(string(text)), `"'`)
	for _, u := range accepted {
		number, ok := strings.CutSuffix(s, u.text)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || v <= 0 || v*u.scale > 1e15 {
			return 0, fmt.Errorf("%q is not a size above 0; write for example %s", s, example)
		}
		return int64(v * u.scale), nil
	}
	return 0, fmt.Errorf("%q has no unit; write for example %s", s, example)
}

// Names returns the built-in presets, sorted.
func Names() []string {
	entries, _ := presets.ReadDir("presets") // embedded: cannot fail
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	sort.Strings(names)
	return names
}

// Open returns the built-in preset of that name, or reads a hardware file.
func Open(name string) (*Hardware, error) {
	text, filename, err := Source(name)
	if err != nil {
		return nil, err
	}
	return Read(text, filename)
}

// Source returns the text of the built-in preset of that name, or of a
// hardware file, and the file's name for errors.
func Source(name string) (text []byte, filename string, err error) {
	text, err = presets.ReadFile("presets/" + name + ".yaml")
	if err == nil {
		return text, name + ".yaml", nil
	}
	text, err = os.ReadFile(name)
	switch {
	case err == nil:
		return text, name, nil
	case strings.ContainsAny(name, `/\.`) || !errors.Is(err, os.ErrNotExist):
		return nil, "", fmt.Errorf("hardware file: %w", err)
	}
	return nil, "", fmt.Errorf("no hardware %q%s; there is %s, or name a hardware file",
		name, network.Suggest(name, Names()), strings.Join(Names(), ", "))
}

// Read parses a hardware file.
func Read(text []byte, filename string) (*Hardware, error) {
	var f file
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&f); err != nil {
		var detailed yaml.Error
		if errors.As(err, &detailed) && detailed.GetToken() != nil {
			return nil, fmt.Errorf("%s:%d: %s", filename, detailed.GetToken().Position.Line, detailed.GetMessage())
		}
		return nil, fmt.Errorf("%s: %s", filename, strings.Join(strings.Fields(err.Error()), " "))
	}
	for _, v := range []struct {
		key   string
		value int
		least int
	}{
		{"pe.rows", f.PE.Rows, 1},
		{"pe.columns", f.PE.Columns, 1},
		{"pe.lanes", f.PE.Lanes, 1},
		{"pe.pipeline", f.PE.Pipeline, 0},
		{"pe.clock", int(f.PE.Clock), 1},
		{"dram.channels", f.DRAM.Channels, 1},
		{"dram.ranks", f.DRAM.Ranks, 1},
	} {
		if v.value < v.least || (v.key != "pe.clock" && v.value > 1<<16) {
			return nil, fmt.Errorf("%s: %s is %d; it must be between %d and 65536", filename, v.key, v.value, v.least)
		}
	}
	if f.PE.Clock > frequency(10*units.GHz) {
		return nil, fmt.Errorf("%s: pe.clock is above 10GHz", filename)
	}
	dataflow, err := pe.ParseDataflow(f.PE.Dataflow)
	if err != nil {
		return nil, fmt.Errorf("%s: pe.dataflow: %w", filename, err)
	}
	device, err := dram.Lookup(f.DRAM.Device)
	if err != nil {
		return nil, fmt.Errorf("%s: dram.device: %w", filename, err)
	}
	device = device.WithChannels(f.DRAM.Channels).WithRanks(f.DRAM.Ranks)
	mapping := f.DRAM.Mapping
	if mapping == "" {
		mapping = device.StreamMapping()
	}
	device = device.WithMapping(mapping)
	if err := device.Validate(); err != nil {
		return nil, fmt.Errorf("%s: dram: %w", filename, err)
	}
	bank := units.Bytes(f.OnChip.Bank)
	if bank == 0 {
		bank = defaultBank
	}
	return &Hardware{
		Name: f.Name, Note: f.Note,
		PE: pe.Array{
			Rows: f.PE.Rows, Columns: f.PE.Columns, Lanes: f.PE.Lanes,
			Pipeline: units.Cycles(f.PE.Pipeline), Clock: units.Hertz(f.PE.Clock),
			Dataflow: dataflow,
		},
		OnChip:  units.Bytes(f.OnChip.Capacity),
		Bank:    bank,
		Engines: 1, Groups: 1, Word: units.WordBytes,
		DRAM: device,
	}, nil
}
