package hdl

import (
	"context"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/units"
)

// Resources of an FPGA.
type Resources struct {
	LUT  int `json:"lut"`
	FF   int `json:"ff"`
	DSP  int `json:"dsp"`
	BRAM int `json:"bram36"` // blocks of 36 Kbit
}

// Board is an FPGA to build on.
type Board struct {
	Name, Device string
	Resources
	Source string
	family string // as synth_xilinx names it
}

// Boards returns what is built in: those of the hardware presets that are FPGAs,
// by the same name, and a small one.
func Boards() []Board {
	return []Board{
		{"zcu102", "XCZU9EG", Resources{274080, 548160, 2520, 912}, "AMD DS891, Zynq UltraScale+ MPSoC overview", "xcup"},
		{"alveo-u280", "XCU280", Resources{1303680, 2607360, 9024, 2016 + 8*960}, "AMD DS963, Alveo U280 data sheet; its 960 UltraRAM count as 8 BRAM each", "xcup"},
		{"edge-lpddr4", "XCZU3EG", Resources{70560, 141120, 360, 216}, "AMD DS891, Zynq UltraScale+ MPSoC overview", "xcup"},
		{"pynq-z2", "XC7Z020", Resources{53200, 106400, 220, 140}, "AMD DS190, Zynq-7000 overview", "xc7"},
	}
}

// BoardFor returns the name of the board that a hardware stands for, or of the
// first.
func BoardFor(hardware string) string {
	for _, b := range Boards() {
		if b.Name == hardware {
			return hardware
		}
	}
	return Boards()[0].Name
}

// LookupBoard returns a built-in board.
func LookupBoard(name string) (Board, error) {
	var names []string
	for _, b := range Boards() {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Board{}, fmt.Errorf("no board %q; there are %s", name, strings.Join(names, ", "))
}

// brams returns the blocks that hold some bits, at 36 Kbit each.
func brams(bits int64) int { return int(units.CeilDiv(bits, 36*1024)) }

// Estimate is the simulator's own idea of what a design takes: of its array,
// and of a layer buffer in fixed-point words as wide as the widest format.
func (d *Design) Estimate(b Board) Resources {
	r := EstimateArray(d.shape(), d.Hardware.PE, b.family)
	f := d.Formats
	word := max(f.Weight.Width(), f.Potential.Width(), f.Error.Width(), f.Gradient.Width())
	r.BRAM = brams(int64(d.OnChip) / units.WordBytes * int64(word))
	return r
}

func (d *Design) shape() shape {
	s := shape{}
	for _, w := range widths(d.Datapath) {
		s[w.name] = w.value
	}
	return s
}

// shape is the RTL's width parameters.
type shape map[string]int

// EstimateArray estimates an array on a family of FPGAs: cells, lanes, and what
// they share.
func EstimateArray(s shape, a pe.Array, family string) Resources {
	cells, lanes := float64(a.PEs()), float64(a.Lanes)
	m := fitted(family)
	return Resources{
		LUT: int(float64(cells*m.cell.at(s.cellLUT(family))) + float64(lanes*m.lane.at(s.laneLUT(family))) + 0.5),
		FF:  a.PEs()*s.cellFF(family) + sharedFF + int(float64(lanes*m.laneFF.at(s.laneFF(family)))+0.5),
		DSP: a.PEs()*s.cellDSP() + a.Lanes*s.laneDSP(),
	}
}

// yosys moves registers and the adder behind a product into the DSP slices of
// older devices (DSP48E1), not into those of UltraScale+ (DSP48E2).
const olderDevices = "xc7"

// cellLUT is what the LUTs of a cell grow with: adder bits, gated bits, and
// products that more than one DSP slice make.
func (s shape) cellLUT(family string) []float64 {
	adders, gates, extra := s["SW"]+s["RW"]+s["GW"], s["WW"]+s["EW"], s.cellDSP()-1
	if family == olderDevices {
		return []float64{1, float64(adders), float64(gates), float64(extra * s["BW"])}
	}
	return []float64{1, float64(adders + s["BW"]), float64(gates), float64(extra)}
}

// sharedFF is the control bits that all cells of an array share.
const sharedFF = 10

// cellFF is the registers of a cell, as the RTL has them: gated weight and sum,
// product and sum, gated error, register, and dW twice.
func (s shape) cellFF(family string) int {
	bits := s["WW"] + s["SW"] + s["EW"] + s["WW"] + s["BW"] + s["EW"] + s["RW"] + 2*s["GW"]
	switch {
	case family != olderDevices:
	case s.cellDSP() == 1:
		bits -= s["EW"] + s["WW"] + s["BW"] // product and sum are in the slice
	default:
		bits -= s["EW"] + s["WW"] - 17 // all but what the first slice passes on
	}
	return bits
}

// products is the number of multipliers of a lane.
const products = 7

// exact is the width of the sum in the LIF neuron.
func (s shape) exact() int { return max(s["SW"]+2*s["UF"]-s["WF"], 2*s["UW"]) + 2 }

// laneLUT is what the LUTs of a lane grow with: adder bits of exact sums, bits
// that are rounded, clipped and compared, and products of more than one slice.
func (s shape) laneLUT(string) []float64 {
	difference := max(s["BW"], s["EW"]+s["UW"]) + max(s["WF"], s["UF"]) - s["WF"]
	return []float64{
		1, float64(s.exact() + difference + s["EW"] + s["UW"] + s["GW"] + s["UF"]),
		float64(4*s["UW"] + 4*s["EW"] + s["GW"] + 2*s["WW"]),
		float64(s.laneDSP() - products),
	}
}

// laneFF is what the registers of a lane grow with: the bits of all its stages.
func (s shape) laneFF(family string) []float64 {
	features := []float64{
		1, float64(
			2*s["UW"] + s["SW"] + s.exact() + 2*s["UW"] + // LIF
				2*s["NW"] + s["CW"] + 2*s["EW"] + // loss
				s["UW"] + // surrogate
				3*(s["EW"]+s["UW"]) + s["BW"] + 4*s["EW"] + // error
				s["GW"] + s["UW"] + s["GW"] + s["CW"] + 3*s["GW"] + 2*s["WW"]), // optimizer
	}
	if family == olderDevices {
		features = append(features, float64(s.laneDSP()-products))
	}
	return features
}

// dsps returns the DSP slices of a product of signed factors: a slice takes 18
// bits by 25 or more, and formats have at most 24; small products go to LUTs.
func dsps(a, b int) int {
	switch {
	case a+b < 9:
		return 0
	case min(a, b) > 18:
		return 2
	}
	return 1
}

func (s shape) cellDSP() int { return dsps(s["EW"], s["WW"]) }

func (s shape) laneDSP() int {
	return dsps(s["UW"], s["UW"]) + 3*dsps(s["EW"], s["UW"]) + dsps(s["NW"]+1, s["CW"]) + dsps(s["GW"], s["UW"]) + dsps(s["GW"], s["CW"])
}

type model struct{ cell, lane, laneFF linear }

// Measurement is what yosys made of a module: synth_xilinx -flatten -nowidelut.
type Measurement struct {
	Module string // cell, lane or array
	Use    string // fit, or check: not used to fit
	Family string
	Shape  shape
	Array  pe.Array
	Resources
}

//go:embed resources.csv
var measured string

// Measurements returns the built-in measurements.
func Measurements() []Measurement {
	rows, err := csv.NewReader(strings.NewReader(measured)).ReadAll()
	if err != nil {
		panic(err) // embedded, and a test reads it
	}
	var list []Measurement
	for _, row := range rows[1:] {
		m := Measurement{Module: row[0], Use: row[1], Family: row[2], Shape: shape{}}
		value := map[string]int{}
		for i, name := range rows[0][3:] {
			value[name], _ = strconv.Atoi(row[i+3])
		}
		m.Array = pe.Array{Rows: value["ROWS"], Columns: value["COLUMNS"], Lanes: value["LANES"]}
		m.Resources = Resources{LUT: value["LUT"], FF: value["FF"], DSP: value["DSP"], BRAM: value["BRAM"]}
		for _, name := range peParameters {
			m.Shape[name] = value[name]
		}
		list = append(list, m)
	}
	return list
}

// fitted fits the model to the measurements that are for it.
func fitted(family string) model {
	fit := func(module string, features func(shape, string) []float64, result func(Resources) int) linear {
		var x [][]float64
		var y []float64
		for _, m := range Measurements() {
			if m.Module == module && m.Use == "fit" && m.Family == family {
				x, y = append(x, features(m.Shape, family)), append(y, float64(result(m.Resources)))
			}
		}
		solution, ok := leastSquares(x, y)
		if !ok {
			panic("the measurements of a " + module + " do not determine its fit") // embedded, and a test fits it
		}
		return solution
	}
	lut := func(r Resources) int { return r.LUT }
	return model{
		fit("cell", shape.cellLUT, lut), fit("lane", shape.laneLUT, lut),
		fit("lane", shape.laneFF, func(r Resources) int { return r.FF }),
	}
}

// Synthesize has yosys map a module of a folder's RTL to a family of FPGAs.
func Synthesize(ctx context.Context, folder, module, family string, parameters map[string]int) (Resources, error) {
	var set strings.Builder
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		fmt.Fprintf(&set, " -chparam %s %d", name, parameters[name])
	}
	file, err := os.CreateTemp("", "accelsim-stat-*.json")
	if err != nil {
		return Resources{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := tool(ctx, folder, "yosys", "-q", "-p", fmt.Sprintf(
		"read_verilog rtl/accelsim_*.v; hierarchy -top %s%s; synth_xilinx -family %s -flatten -noiopad -nowidelut -top %s; tee -q -o %s stat -json",
		module, set.String(), family, module, file.Name())); err != nil {
		return Resources{}, err
	}
	var stat struct {
		Design struct {
			Cells map[string]int `json:"num_cells_by_type"`
		} `json:"design"`
	}
	if err := json.NewDecoder(file).Decode(&stat); err != nil {
		return Resources{}, fmt.Errorf("yosys' statistics: %w", err)
	}
	var r Resources
	for cell, n := range stat.Design.Cells {
		switch {
		case strings.HasPrefix(cell, "RAMB"):
			r.BRAM += n
		case strings.HasPrefix(cell, "LUT"), strings.HasPrefix(cell, "SRL"), strings.HasPrefix(cell, "RAM"), cell == "INV":
			r.LUT += n
		case strings.HasPrefix(cell, "FD"):
			r.FF += n
		case strings.HasPrefix(cell, "DSP"):
			r.DSP += n
		}
	}
	return r, nil
}

// SynthesizeArray does so with the design's array.
func (d *Design) SynthesizeArray(ctx context.Context, folder string, b Board) (Resources, error) {
	a := d.Hardware.PE
	parameters := map[string]int{"ROWS": a.Rows, "COLUMNS": a.Columns, "LANES": a.Lanes}
	for _, name := range peParameters {
		parameters[name] = d.shape()[name]
	}
	return Synthesize(ctx, folder, "accelsim_array", b.family, parameters)
}

// Fits returns what a board lacks; nothing if the design fits.
func (r Resources) Fits(b Board) (missing []string) {
	for _, v := range []struct {
		name       string
		need, have int
	}{{"LUT", r.LUT, b.LUT}, {"FF", r.FF, b.FF}, {"DSP", r.DSP, b.DSP}, {"BRAM", r.BRAM, b.BRAM}} {
		if v.need > v.have {
			missing = append(missing, fmt.Sprintf("%s (%d of %d)", v.name, v.need, v.have))
		}
	}
	return missing
}
