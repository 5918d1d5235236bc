// Package hardware describes accelerators: built-in presets and hardware files.
//
// A hardware file is YAML with units: "200MHz", "2MiB", "2400MT/s";
// docs/hardware.md explains every key. Adding a preset is adding one file to
// presets/.
package hardware

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
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
	Ports  int         // of a bank: words in a clock; 0 is as many as are asked for
	// Buffers are what the layer buffer consists of if Separate is set: one for
	// each kind of tensor. OnChip is then the sum of them.
	Separate bool
	Buffers  [role.Buffers]Buffer
	Engines  int // DMA engines of a PE group, each with one transfer under way
	// Groups is how many PE groups there are, each with its own array, lanes and
	// layer buffer; 0 is one for every local block.
	Groups int
	DRAM   dram.Device
	Energy energy.Table
}

// Buffer is a memory on chip.
type Buffer struct {
	Capacity units.Bytes
	Bank     units.Bytes // size of one
	Ports    int         // of a bank: words in a clock; 0 is as many as are asked for
}

// Banks returns the number of banks.
func (b Buffer) Banks() int64 { return int64(units.CeilDiv(b.Capacity, max(b.Bank, 1))) }

// Accesses returns the words that the buffer takes or gives in a clock; 0 is as
// many as are asked for.
func (b Buffer) Accesses() units.Words { return units.Words(b.Banks() * int64(b.Ports)) }

// Memories returns the buffers that a layer buffer of that capacity consists of:
// one, or one for each kind of tensor.
func (h *Hardware) Memories() []Buffer {
	if h.Separate {
		return h.Buffers[:]
	}
	return []Buffer{{h.OnChip, h.Bank, h.Ports}}
}

// defaultBank is the size of the banks that a layer buffer is built of: the
// largest for which [energy] cites a measured access below 1 MiB.
const defaultBank = 32 * units.KiB

//go:embed presets/*.yaml
var presets embed.FS

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
	text, err = input.Text(name)
	switch {
	case err == nil:
		return text, name, nil
	case strings.ContainsAny(name, `/\.`) || !errors.Is(err, os.ErrNotExist):
		return nil, "", fmt.Errorf("hardware file: %w", err)
	}
	return nil, "", fmt.Errorf("no hardware %q%s; there is %s, or name a hardware file",
		name, spelling.Suggest(name, Names()), strings.Join(Names(), ", "))
}
