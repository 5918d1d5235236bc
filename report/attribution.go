package report

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// Attribution tells which layers, phases and tensors the whole went to. What is
// absent without timing is never 0.
type Attribution struct {
	Roofline *Roofline              `json:"roofline,omitempty"`
	Parts    []Part                 `json:"parts"`
	Tensors  map[string]TensorShare `json:"tensors"` // of all parts
}

// Roofline is what the machine can do at best, and its balance: operations per
// DRAM byte at which PEs and DRAM would take equally long.
type Roofline struct {
	PeakOperations float64 `json:"peak_operations_per_second"` // one per PE and clock
	BusyOperations float64 `json:"busy_operations_per_second"` // executed while PEs are busy
	PeakBytes      float64 `json:"peak_bytes_per_second"`
	Balance        float64 `json:"balance"`      // of the peaks
	BusyBalance    float64 `json:"busy_balance"` // of what PEs execute while busy
}

// Part is a layer, or the classifier of a block.
type Part struct {
	Name       string      `json:"part"`
	Layer      int         `json:"layer,omitempty"`
	Block      int         `json:"block"`
	Operations int64       `json:"operations"`
	DRAMBytes  units.Bytes `json:"dram_bytes"`
	Intensity  float64     `json:"operations_per_byte"`
	*PartTime
	Phases []PhaseShare `json:"phases"`
}

// PartTime is a part's time and energy.
type PartTime struct {
	Time         units.Time `json:"time_ps"`
	SharePercent float64    `json:"time_share_percent"`
	PEBusy       units.Time `json:"pe_busy_ps"`
	PortsBusy    units.Time `json:"ports_busy_ps"` // of the layer buffer, for the PEs; 0 if they are not limited
	DRAMBusy     units.Time `json:"dram_busy_ps"`  // hidden behind other parts' computation or not
	WaitOther    units.Time `json:"-"`             // for other PE groups; by phase in JSON
	Bottleneck   string     `json:"bottleneck"`    // which is longest: "PEs", "on-chip ports", "DRAM" or "other groups"
	Energy       Energy     `json:"energy_pj"`
}

// PhaseShare is a part's share in one phase.
type PhaseShare struct {
	Phase      string                               `json:"phase"`
	PECycles   units.Total[units.Cycles]            `json:"pe_cycles"`
	Kernels    map[string]units.Total[units.Cycles] `json:"pe_cycles_by_kernel"`
	Operations map[string]int64                     `json:"operations"`
	OnChip     Traffic                              `json:"onchip"`
	Tensors    map[string]TensorShare               `json:"tensors"`
	*PhaseTime
}

// PhaseTime is when PEs computed or waited, and the energy.
type PhaseTime struct {
	PEBusy    units.Time `json:"pe_busy_ps"`
	PortsBusy units.Time `json:"ports_busy_ps"`
	WaitPorts units.Time `json:"wait_ports_ps"`
	WaitLoad  units.Time `json:"wait_load_ps"`
	WaitStore units.Time `json:"wait_store_ps"`
	WaitOther units.Time `json:"wait_other_ps"`
	Energy    Energy     `json:"energy_pj"`
	// DRAMIdle is the part of it for refresh and standby while nothing moved.
	DRAMIdle units.Picojoules `json:"dram_idle_pj"`
}

// TensorShare is what moving tensors of one class took.
type TensorShare struct {
	Traffic
	*TensorTime
}

// TensorTime is a class's time on the DRAM port, its commands and their energy.
type TensorTime struct {
	Time       units.Time                  `json:"dram_busy_ps"`
	Reads      int64                       `json:"bursts_read"`
	Writes     int64                       `json:"bursts_written"`
	Activates  int64                       `json:"activates"`
	Precharges int64                       `json:"precharges"`
	Refreshes  units.Total[int64]          `json:"refreshes"`
	Energy     map[string]units.Picojoules `json:"energy_pj"`
}

// Help is what more hardware would save.
type Help struct {
	Key         string            `json:"what"`
	Text        string            `json:"text"`
	Refusal     string            `json:"refused,omitempty"`
	Seconds     *float64          `json:"seconds,omitempty"`
	Energy      *units.Picojoules `json:"energy_pj,omitempty"`
	TimeSaved   *float64          `json:"time_saved_percent,omitempty"`
	EnergySaved *float64          `json:"energy_saved_percent,omitempty"`
}

// kernelKeys name the kernels in JSON, by [schedule.Op].
var kernelKeys = [schedule.NumOps]string{
	"synaptic_sum", "norm_forward", "fire", "join", "pool", "count", "loss", "back_project", "join_backward",
	"pool_backward", "spatial_error", "temporal_error", "norm_backward", "gradient", "optimize", "regenerate",
	"norm_mean", "norm_variance", "normalize", "norm_gradients", "norm_errors",
	"add_value", "add_bias", "sum_errors", "identity_error",
	"trace", "trace_gradient", "feedback",
}

// Attribute adds the attribution, which is long.
func (r *Run) Attribute(e *design.Evaluation) { r.Attribution = attribute(e.Run) }

// attribute puts the shares of a result into their JSON form.
func attribute(r *sim.Result) *Attribution {
	a := &Attribution{Tensors: map[string]TensorShare{}}
	var moved [role.InMemory]sim.Moved
	for i, s := range r.Shares {
		part := a.part(s)
		phase := PhaseShare{
			Phase: s.Phase.String(), PECycles: s.PE, OnChip: Traffic(s.OnChip),
			Kernels: map[string]units.Total[units.Cycles]{}, Operations: map[string]int64{}, Tensors: map[string]TensorShare{},
		}
		for op, cycles := range s.Kernels {
			if cycles.Sign() != 0 {
				phase.Kernels[kernelKeys[op]] = cycles
			}
		}
		for op, n := range s.Operations {
			if n != 0 {
				phase.Operations[pe.Op(op).String()] = n
				part.Operations += n
			}
		}
		var t *sim.ShareTime
		if r.Timing != nil {
			t = &r.Timing.Shares[i]
			phase.PhaseTime = &PhaseTime{
				PEBusy: t.Busy, PortsBusy: units.As[units.Picoseconds](s.Ports).Times(int64(r.Hardware.PE.Clock.Period())),
				WaitPorts: t.WaitPorts, WaitLoad: t.WaitLoad, WaitStore: t.WaitStore, WaitOther: t.WaitOther,
				Energy: *energyOf(t.Energy), DRAMIdle: r.Hardware.DRAM.Energy(t.Idle).Total(),
			}
			part.addTime(t)
			if len(r.Groups) > 1 {
				part.WaitOther.AddTotal(t.WaitOther)
			}
			part.PortsBusy.AddTotal(phase.PortsBusy)
		}
		for c, words := range s.Words {
			if words == (sim.Traffic{}) {
				continue
			}
			share := TensorShare{Traffic: Traffic(words)}
			if t != nil {
				share.TensorTime = tensorTime(t.Moved[c])
				moved[c].Time.AddTotal(t.Moved[c].Time)
				moved[c].Stats.Add(t.Moved[c].Stats, 1)
			}
			phase.Tensors[role.Role(c).String()] = share
			part.DRAMBytes += (words.Reads + words.Writes).Of(r.Hardware.PE.Precision.Word())
		}
		part.Phases = append(part.Phases, phase)
	}
	for c, words := range r.Words {
		if words == (sim.Traffic{}) {
			continue
		}
		share := TensorShare{Traffic: Traffic(words)}
		if r.Timing != nil {
			moved[c].Energy = r.Hardware.DRAM.Energy(moved[c].Stats)
			share.TensorTime = tensorTime(moved[c])
		}
		a.Tensors[role.Role(c).String()] = share
	}
	if r.Timing != nil {
		a.Roofline = roofline(r)
	}
	for i := range a.Parts {
		a.Parts[i].finish(r)
	}
	return a
}

// part returns the part of a share. Shares of one part follow each other.
func (a *Attribution) part(s sim.Share) *Part {
	if n := len(a.Parts); n > 0 && a.Parts[n-1].Layer == s.Layer && a.Parts[n-1].Block == s.Block {
		return &a.Parts[n-1]
	}
	name := fmt.Sprintf("layer %d", s.Layer)
	if s.Layer == 0 {
		name = fmt.Sprintf("classifier %d", s.Block)
	}
	a.Parts = append(a.Parts, Part{Name: name, Layer: s.Layer, Block: s.Block})
	return &a.Parts[len(a.Parts)-1]
}

func (p *Part) addTime(t *sim.ShareTime) {
	if p.PartTime == nil {
		p.PartTime = &PartTime{Energy: Energy{DRAMByClass: map[string]units.Picojoules{}}}
	}
	moving, _ := t.DRAM()
	p.Time.AddTotal(t.Time())
	p.PEBusy.AddTotal(t.Busy)
	p.DRAMBusy.AddTotal(moving)
	p.Energy.add(energyOf(t.Energy))
}

func (e *Energy) add(o *Energy) {
	e.Total += o.Total
	e.DRAM += o.DRAM
	e.OnChip += o.OnChip
	e.PE += o.PE
	e.Static += o.Static
	for class, v := range o.DRAMByClass {
		e.DRAMByClass[class] += v
	}
}

// finish computes what is known once all phases are in.
func (p *Part) finish(r *sim.Result) {
	p.Intensity = ratio(float64(p.Operations), float64(p.DRAMBytes))
	if p.PartTime == nil {
		return
	}
	p.SharePercent = 100 * ratio(units.Seconds(p.Time), r.Timing.Seconds*float64(len(r.Groups)))
	p.Bottleneck = p.longest()
}

// longest names what takes a part the longest time: one of its own units, or
// waiting for other PE groups.
func (p *PartTime) longest() string {
	name, longest := "PEs", p.PEBusy
	for _, other := range []struct {
		name string
		time units.Time
	}{{"on-chip ports", p.PortsBusy}, {"DRAM", p.DRAMBusy}, {"other groups", p.WaitOther}} {
		if longest.Less(other.time) {
			name, longest = other.name, other.time
		}
	}
	return name
}

// ratio returns a/b, 0 without b.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func roofline(r *sim.Result) *Roofline {
	var executed int64
	for _, n := range r.Operations {
		executed += n
	}
	clock := float64(r.Hardware.PE.Clock) * float64(len(r.Groups)) // of all groups
	line := &Roofline{
		PeakOperations: float64(r.Hardware.PE.PEs()) * clock,
		BusyOperations: ratio(float64(executed)*clock, r.Timing.Cycles.PEBusy.Float64()),
		PeakBytes:      r.Hardware.DRAM.PeakBandwidth(),
	}
	line.Balance = ratio(line.PeakOperations, line.PeakBytes)
	line.BusyBalance = ratio(line.BusyOperations, line.PeakBytes)
	return line
}

func tensorTime(m sim.Moved) *TensorTime {
	s := m.Stats
	return &TensorTime{
		m.Time, s.Reads, s.Writes, s.Activates, s.Precharges, s.Refreshes.PlusTotal(s.BankRefreshes), commandEnergy(m.Energy),
	}
}

// commandEnergy leaves out classes that the device does not have.
func commandEnergy(e dram.Energy) map[string]units.Picojoules {
	classes := dramClasses(e)
	for name, v := range classes {
		if v == 0 {
			delete(classes, name)
		}
	}
	return classes
}

// helps puts what more hardware would save into its JSON form.
func helps(e *design.Evaluation) []Help {
	var list []Help
	for _, h := range e.Helps {
		help := Help{Key: h.Key, Text: h.Text, Refusal: h.Refusal}
		if h.Refusal == "" {
			time := Quantity{Run: h.Seconds, Baseline: e.Run.Timing.Seconds}.Reduction()
			energy := Quantity{Run: float64(h.Energy), Baseline: float64(e.Run.Timing.Energy.Total())}.Reduction()
			help.Seconds, help.Energy, help.TimeSaved, help.EnergySaved = &h.Seconds, &h.Energy, &time, &energy
		}
		list = append(list, help)
	}
	return list
}

// layerTable has a row for each layer, and one for all classifiers or, in
// full, a row for each and for each phase.
func layerTable(r *Run, full bool) *Table {
	t := &Table{
		Title:  "By layer: time of the step that PEs execute or wait for",
		Header: []string{"part", "time", "share", "PEs busy", "DRAM busy", "bottleneck", "op/byte", "energy", "share"},
		Left:   []int{5},
	}
	add := func(name string, p PartTime, intensity string) {
		t.Add(name, Seconds(units.Seconds(p.Time)), Percent(100*ratio(units.Seconds(p.Time), *r.Seconds*float64(r.Schedule.groups()))),
			Seconds(units.Seconds(p.PEBusy)), Seconds(units.Seconds(p.DRAMBusy)), p.longest(), intensity,
			Joules(p.Energy.Total), Percent(100*ratio(float64(p.Energy.Total), float64(r.Energy.Total))))
	}
	var classifiers PartTime
	var operations int64
	var moved units.Bytes
	for _, p := range r.Attribution.Parts {
		if p.Layer == 0 && !full {
			classifiers.Time.AddTotal(p.Time)
			classifiers.PEBusy.AddTotal(p.PEBusy)
			classifiers.PortsBusy.AddTotal(p.PortsBusy)
			classifiers.DRAMBusy.AddTotal(p.DRAMBusy)
			classifiers.WaitOther.AddTotal(p.WaitOther)
			classifiers.Energy.Total += p.Energy.Total
			operations += p.Operations
			moved += p.DRAMBytes
			continue
		}
		name := p.Name
		if p.Layer > 0 {
			name += " " + r.Workload.Layers[p.Layer-1].Kind
		}
		add(name, *p.PartTime, figures(p.Intensity))
		if !full {
			continue
		}
		for _, s := range p.Phases {
			add("  "+s.Phase, s.time(r.Schedule.groups()), figures(s.intensity(r.Hardware.Word)))
		}
	}
	if !full {
		add("classifiers", classifiers, figures(ratio(float64(operations), float64(moved))))
	}
	line := r.Attribution.Roofline
	t.Notes = append(t.Notes,
		fmt.Sprintf("balance: %s of PEs over %s of DRAM: %s operations per byte", scaled(line.PeakOperations, "op/s"),
			Rate(line.PeakBytes), figures(line.Balance)),
		fmt.Sprintf("executed while PEs are busy, on average: %s, which balances at %s operations per byte",
			scaled(line.BusyOperations, "op/s"), figures(line.BusyBalance)))
	for _, h := range r.Helps {
		t.Notes = append(t.Notes, h.Sentence())
	}
	return t
}

// Sentence says what help brings.
func (h Help) Sentence() string {
	if h.Refusal != "" {
		return h.Text + ": not possible, " + h.Refusal
	}
	change := func(saved float64, of string) string {
		if saved < 0 {
			return Percent(-saved) + " more " + of
		}
		return Percent(saved) + " less " + of
	}
	return fmt.Sprintf("%s: %s, %s", h.Text, change(*h.TimeSaved, "time"), change(*h.EnergySaved, "energy"))
}

// time returns the time of a phase as that of a part, on so many PE groups.
func (s PhaseShare) time(groups int) PartTime {
	p := PartTime{
		Time:   units.Sum(s.PEBusy, s.WaitPorts, s.WaitLoad, s.WaitStore, s.WaitOther),
		PEBusy: s.PEBusy, PortsBusy: s.PortsBusy, Energy: s.Energy,
	}
	if groups > 1 {
		p.WaitOther = s.WaitOther
	}
	for _, t := range s.Tensors {
		p.DRAMBusy.AddTotal(t.Time)
	}
	return p
}

// intensity returns a phase's operations per DRAM byte, of words of that size.
func (s PhaseShare) intensity(word units.Bytes) float64 {
	var operations int64
	var words units.Words
	for _, n := range s.Operations {
		operations += n
	}
	for _, t := range s.Tensors {
		words += t.Traffic.Reads + t.Traffic.Writes
	}
	return ratio(float64(operations), float64(words.Of(word)))
}

// tensorTable tells what moving each class of tensors took.
func tensorTable(r *Run) *Table {
	t := &Table{
		Title:  "By tensor: what moving it took",
		Header: []string{"tensors", "words read", "words written", "DRAM busy", "activates", "DRAM energy"},
	}
	for c := range role.InMemory {
		name := role.Role(c).String()
		if s, ok := r.Attribution.Tensors[name]; ok {
			t.Add(name, Integer(s.Traffic.Reads), Integer(s.Traffic.Writes), Seconds(units.Seconds(s.Time)),
				Integer(s.Activates), Joules(s.energy()))
		}
	}
	return t
}

// energy returns the energy of all commands.
func (t *TensorTime) energy() units.Picojoules {
	var sum units.Picojoules
	for _, class := range commandClasses {
		sum += t.Energy[class.key]
	}
	return sum
}

// commandClasses are the classes of DRAM energy, with their keys in JSON.
var commandClasses = []struct{ key, name string }{
	{"activate", "activate"},
	{"read", "read"},
	{"write", "write"},
	{"refresh", "refresh"},
	{"background", "background"},
	{"vpp", "wordline supply"},
	{"io", "I/O"},
}

// figures prints three significant digits.
func figures(v float64) string {
	if v >= 1000 {
		return Integer(int64(v + 0.5))
	}
	return fmt.Sprintf("%.3g", v)
}
