// Package report turns results into tables, JSON and CSV. It computes nothing
// but percentages.
package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// RunSchema names the version of [Run].
const RunSchema = "accelsim.run/1"

// Run is the JSON form of an evaluated design point. Integers are words,
// operations, bytes or PE clocks.
type Run struct {
	Schema      string             `json:"schema"`
	Workload    Workload           `json:"workload"`
	Schedule    Schedule           `json:"schedule"`
	Hardware    Hardware           `json:"hardware"`
	Counts      Counts             `json:"counts"`
	Analytic    Analytic           `json:"analytic"`
	Crosscheck  Crosscheck         `json:"crosscheck"`
	Beyond      Beyond             `json:"beyond"`
	Traffic     AllTraffic         `json:"traffic"`
	Residency   Residency          `json:"residency"`
	Words       map[string]Traffic `json:"words"`
	Cycles      *Cycles            `json:"cycles,omitempty"`
	Seconds     *float64           `json:"seconds,omitempty"`
	Energy      *Energy            `json:"energy_pj,omitempty"`
	DRAM        DRAM               `json:"dram"`
	OnChip      OnChip             `json:"onchip"`
	Baseline    *Baseline          `json:"baseline,omitempty"`
	Projection  *Projection        `json:"projection,omitempty"`
	Attribution *Attribution       `json:"attribution,omitempty"`
	Helps       []Help             `json:"what_would_help,omitempty"`
	Provenance  *Provenance        `json:"provenance,omitempty"`
}

// Provenance is how a result came to be.
type Provenance struct {
	Seed uint64 `json:"seed"` // that was given; a run draws nothing
}

// RecordSeed keeps the seed that was given; nil is none.
func (r *Run) RecordSeed(seed *uint64) {
	if seed != nil {
		r.Provenance = &Provenance{*seed}
	}
}

// Workload describes the network.
type Workload struct {
	Name    string  `json:"name"`
	Dataset string  `json:"dataset,omitempty"`
	Text    string  `json:"notation"`
	Layers  []Layer `json:"layers"`
	Classes int     `json:"classes"`
}

// Layer is one trainable layer; neurons and additions are per sample.
type Layer struct {
	Index          int         `json:"index"`
	Kind           string      `json:"kind"`
	Weights        units.Words `json:"weights"`
	Neurons        units.Words `json:"neurons"`
	DenseAdditions int64       `json:"dense_additions"`
}

// Schedule describes how the network is cut.
type Schedule struct {
	Timesteps  int     `json:"timesteps"`
	K          int     `json:"k"`
	N          int     `json:"n"`
	Batch      int     `json:"batch"`
	Intervals  int     `json:"intervals"`
	Blocks     [][]int `json:"blocks"`
	Rule       *Rule   `json:"rule,omitempty"`
	Classifier string  `json:"classifier"`
	Order      string  `json:"order"`
	Groups     []Group `json:"groups"`
	Traffic    string  `json:"traffic"`
}

// Group is a PE group: its blocks, and what it did in PE clocks; the clocks are
// absent without timing.
type Group struct {
	First  int    `json:"first_block"`
	Last   int    `json:"last_block"`
	Steps  int64  `json:"steps"`
	OnChip OnChip `json:"onchip"`
	*GroupTime
}

// GroupTime is what its PEs did.
type GroupTime struct {
	PEBusy     units.Total[units.Cycles] `json:"pe_busy"`
	StallPorts units.Total[units.Cycles] `json:"stall_ports"`
	StallLoad  units.Total[units.Cycles] `json:"stall_load"`
	StallStore units.Total[units.Cycles] `json:"stall_store"`
	StallOther units.Total[units.Cycles] `json:"stall_other"`
}

// Hardware describes the accelerator.
type Hardware struct {
	Name    string      `json:"name"`
	Rows    int         `json:"rows"`
	Columns int         `json:"columns"`
	Lanes   int         `json:"lanes"`
	Clock   units.Hertz `json:"clock_hz"`

	Dataflow  string      `json:"dataflow"`
	Precision string      `json:"precision"`
	Word      units.Bytes `json:"word_bytes"`
	Engines   int         `json:"dma_engines"` // of a PE group
}

// Pass is the forward half of [Counts].
type Pass struct {
	Reads  units.Words `json:"reads"`
	Writes units.Words `json:"writes"`
	Adds   int64       `json:"adds"`
}

// BackwardPass is the backward half.
type BackwardPass struct {
	Pass
	MACs int64 `json:"macs"`
}

// Counts is what Eqs. 11-17 cover.
type Counts struct {
	Forward  Pass         `json:"forward"`
	Backward BackwardPass `json:"backward"`
}

// Analytic is what Eqs. 8-17 say.
type Analytic struct {
	Counts
	MemoryWords units.Words `json:"memory_words"`
}

// Crosscheck compares the two.
type Crosscheck struct {
	Pass bool       `json:"pass"`
	Rows []CheckRow `json:"rows"`
	Late []string   `json:"late,omitempty"` // units that were busy for longer than there was time
}

// CheckRow is one comparison.
type CheckRow struct {
	Quantity   string `json:"quantity"`
	Equation   string `json:"equation"`
	Simulated  int64  `json:"simulated"`
	Analytic   int64  `json:"analytic"`
	Difference int64  `json:"difference"`
	Saved      int64  `json:"saved,omitempty"` // that the residency policy left out
	Decides    bool   `json:"decides"`
}

// The residency policies.
const (
	residencyLayer    = "layer"
	residencyResident = "resident"
)

// Residency is what stays on chip beyond what a step needs, and what of the
// paper's traffic that leaves out; refetches on a small buffer are not in it.
type Residency struct {
	Policy     string      `json:"policy"`
	SkipUnread bool        `json:"skip_unread"`
	Pinned     []string    `json:"pinned"`
	Bytes      units.Bytes `json:"pinned_bytes"`
	Saved      units.Words `json:"words_saved"`
}

// Beyond is what the equations leave out.
type Beyond struct {
	Words      map[string]units.Words `json:"words"`
	Operations map[string]int64       `json:"operations"`
}

// Traffic is words by direction.
type Traffic struct {
	Reads  units.Words `json:"reads"`
	Writes units.Words `json:"writes"`
}

// Cycles is time in PE clocks.
type Cycles struct {
	Total      units.Total[units.Cycles] `json:"total"`
	PEBusy     units.Total[units.Cycles] `json:"pe_busy"`
	DRAMBusy   units.Total[units.Cycles] `json:"dram_busy"`
	Overlap    units.Total[units.Cycles] `json:"overlap"`
	StallPorts units.Total[units.Cycles] `json:"stall_ports"` // for ports of the layer buffer
	StallLoad  units.Total[units.Cycles] `json:"stall_load"`
	StallStore units.Total[units.Cycles] `json:"stall_store"`
	StallOther units.Total[units.Cycles] `json:"stall_other"`
	Forward    units.Total[units.Cycles] `json:"pe_forward"`
	Backward   units.Total[units.Cycles] `json:"pe_backward"`
	Update     units.Total[units.Cycles] `json:"pe_update"`
}

// Energy is in picojoules.
type Energy struct {
	Total       units.Picojoules            `json:"total"`
	DRAM        units.Picojoules            `json:"dram"`
	OnChip      units.Picojoules            `json:"onchip"`
	PE          units.Picojoules            `json:"pe"`
	Static      units.Picojoules            `json:"static"`
	DRAMByClass map[string]units.Picojoules `json:"dram_classes"`
}

// DRAM is the external memory; the commands are absent without timing.
type DRAM struct {
	Device    string                 `json:"device"`
	Channels  int                    `json:"channels"`
	Ranks     int                    `json:"ranks"`
	Capacity  units.Bytes            `json:"capacity_bytes"`
	Footprint units.Bytes            `json:"footprint_bytes"`
	Classes   map[string]units.Bytes `json:"footprint"`
	*Commands
}

// Commands is what the DRAM did.
type Commands struct {
	Reads       int64              `json:"reads"`
	Writes      int64              `json:"writes"`
	Activates   int64              `json:"activates"`
	Precharges  int64              `json:"precharges"`
	Refreshes   units.Total[int64] `json:"refreshes"`
	RowHitRate  float64            `json:"row_hit_rate"`
	Utilisation float64            `json:"bandwidth_utilisation"`
}

// OnChip is the layer buffer; accesses are words.
type OnChip struct {
	Capacity units.Bytes `json:"capacity_bytes"`
	Peak     units.Bytes `json:"peak_bytes"`
	Reads    units.Words `json:"reads"`
	Writes   units.Words `json:"writes"`
	Buffers  []Buffer    `json:"buffers"` // one, or one for each kind of tensor
}

// Buffer is one memory on chip.
type Buffer struct {
	Holds    string            `json:"holds"` // which tensors; "all" of them in a shared one
	Capacity units.Bytes       `json:"capacity_bytes"`
	Bank     units.Bytes       `json:"bank_bytes"`
	Banks    int64             `json:"banks"`
	Ports    int               `json:"ports,omitempty"` // of a bank; absent: accesses are not limited
	Peak     units.Bytes       `json:"peak_bytes"`
	Reads    units.Words       `json:"reads"`
	Writes   units.Words       `json:"writes"`
	Energy   *units.Picojoules `json:"energy_pj,omitempty"` // of the accesses
}

// AllTraffic is all that crossed the DRAM port: what the equations cover and what they
// leave out, and what was fetched again because it did not fit on chip.
type AllTraffic struct {
	Words   units.Words `json:"words"`
	Bytes   units.Bytes `json:"bytes"` // of the hardware's words
	Reads   units.Words `json:"reads"`
	Writes  units.Words `json:"writes"`
	Refetch units.Words `json:"refetch"` // of words
}

func allTraffic(r *sim.Result) AllTraffic {
	t := r.Moved()
	words := t.Reads + t.Writes
	return AllTraffic{
		Words: words, Bytes: words.Of(r.Hardware.PE.Precision.Word()), Reads: t.Reads, Writes: t.Writes,
		Refetch: r.Beyond.Words[schedule.BeyondRefetch],
	}
}

// Baseline is standard BPTT on the same hardware.
type Baseline struct {
	K           int                `json:"k"`
	N           int                `json:"n"`
	Counts      Counts             `json:"counts"`
	Traffic     AllTraffic         `json:"traffic"`
	MemoryWords units.Words        `json:"memory_words,omitempty"`
	Cycles      *Cycles            `json:"cycles,omitempty"`
	Seconds     *float64           `json:"seconds,omitempty"`
	Energy      *Energy            `json:"energy_pj,omitempty"`
	Footprint   units.Bytes        `json:"footprint_bytes"`
	RanksAdded  int                `json:"ranks_added"`
	Reduction   map[string]float64 `json:"reduction_percent"`
}

// Rule is a training rule: its name, if it was named, and what it differs in from the
// paper's.
type Rule struct {
	Name          string `json:"name,omitempty"`
	Update        string `json:"update"`
	Trace         string `json:"trace"`
	Feedback      string `json:"feedback"`
	BackwardSteps int    `json:"backward_steps"`
	Readout       string `json:"readout"`
	ResetGradient bool   `json:"reset_gradient"`
}

// String lists the rule in a line.
func (r *Rule) String() string {
	steps := fmt.Sprintf("%d steps", r.BackwardSteps)
	if r.BackwardSteps == 1 {
		steps = "1 step"
	}
	text := fmt.Sprintf("update every %s, errors of %s by %s", r.Update, steps, r.Feedback)
	if r.Trace != "none" {
		text += ", traces that decay by " + r.Trace
	}
	if r.Readout != "spikes" {
		text += ", logits of " + r.Readout
	}
	if !r.ResetGradient {
		text += ", none through resets"
	}
	if r.Name != "" {
		text = r.Name + ": " + text
	}
	return text
}

// ruleOf describes the rule of a workload that has a name or is not the paper's; nil
// otherwise.
func ruleOf(w *network.Workload, k int) *Rule {
	t := &w.Training
	if t.Rule.Inference { // nothing is learnt
		return nil
	}
	if t.RuleName == "" && t.Rule.IsPaper() && t.Readout == network.RateReadout && !w.Neuron.ConstantReset {
		return nil
	}
	choices := t.Rule.Choices()
	return &Rule{
		Name: t.RuleName, Update: choices.Update, Trace: choices.Trace, Feedback: choices.Feedback,
		BackwardSteps: t.Rule.Backward(k), Readout: t.Readout.Name(), ResetGradient: !w.Neuron.ConstantReset,
	}
}

// Projection is a whole training.
type Projection struct {
	Samples         int     `json:"samples"`
	Iterations      int64   `json:"iterations"`
	Epochs          int     `json:"epochs"`
	SecondsPerEpoch float64 `json:"seconds_per_epoch"`
	JoulesPerEpoch  float64 `json:"joules_per_epoch"`
	Seconds         float64 `json:"seconds"`
	Joules          float64 `json:"joules"`
}

// NewRun puts an evaluation into its JSON form.
func NewRun(e *design.Evaluation) *Run {
	r := e.Run
	w := r.Workload
	out := &Run{
		Schema:   RunSchema,
		Workload: Workload{Name: w.Name, Dataset: w.Dataset, Text: w.Net.Text, Classes: w.Net.Classes},
		Schedule: Schedule{
			Timesteps: w.Timesteps, K: r.K, N: r.N, Batch: w.Batch, Intervals: r.Intervals,
			Rule: ruleOf(w, r.K), Classifier: w.Training.Classifier, Order: r.Order.String(), Traffic: trafficName(e.Traffic),
		},
		Hardware: Hardware{
			Name: r.Hardware.Name, Rows: r.Hardware.PE.Rows, Columns: r.Hardware.PE.Columns,
			Lanes: r.Hardware.PE.Lanes, Clock: r.Hardware.PE.Clock,
			Dataflow: r.Hardware.PE.Dataflow.String(), Precision: r.Hardware.PE.Precision.String(),
			Word: r.Hardware.PE.Precision.Word(), Engines: r.Hardware.Engines,
		},
		Counts: counts(r.Counts),
		Analytic: Analytic{
			Counts: counts(sim.Counts{
				Forward:  sim.Pass(e.Analytic.Forward),
				Backward: sim.Pass(e.Analytic.Backward),
			}),
			MemoryWords: e.MemoryWords,
		},
		Crosscheck: Crosscheck{Pass: e.Check.Pass, Late: e.Check.Late},
		Beyond:     Beyond{Words: map[string]units.Words{}, Operations: map[string]int64{}},
		Traffic:    allTraffic(r),
		Residency:  residencyOf(e),
		Words:      map[string]Traffic{},
		DRAM:       dramOf(r),
		OnChip:     onChipOf(r.OnChip, r.Timing != nil),
	}
	for _, l := range w.Net.Layers {
		out.Workload.Layers = append(out.Workload.Layers, Layer{
			l.Index, l.Label(), l.Weights(), l.Neurons(), l.DenseAdditions(),
		})
	}
	for _, b := range r.Blocks {
		out.Schedule.Blocks = append(out.Schedule.Blocks, b.Layers())
	}
	for _, g := range r.Groups {
		group := Group{First: g.First, Last: g.Last, Steps: g.Steps, OnChip: onChipOf(g.OnChip, false)}
		if r.Timing != nil {
			group.GroupTime = &GroupTime{g.PEBusy, g.StallPorts, g.StallLoad, g.StallStore, g.StallOther}
		}
		out.Schedule.Groups = append(out.Schedule.Groups, group)
	}
	for _, row := range e.Check.Rows {
		out.Crosscheck.Rows = append(out.Crosscheck.Rows, CheckRow(row))
	}
	for b := range schedule.NumBeyond {
		name := schedule.Beyond(b).String()
		if n := r.Beyond.Words[b]; n != 0 {
			out.Beyond.Words[name] = n
		}
		if n := r.Beyond.Operations[b]; n != 0 {
			out.Beyond.Operations[name] = n
		}
	}
	for c, t := range r.Words {
		if t != (sim.Traffic{}) {
			out.Words[role.Role(c).String()] = Traffic(t)
		}
	}
	if r.Timing != nil {
		out.Cycles, out.Seconds, out.Energy = cyclesOf(r.Timing), &r.Timing.Seconds, energyOf(r.Timing.Energy)
	}
	if b := e.Baseline; b != nil {
		out.Baseline = &Baseline{
			K: b.K, N: b.N, Counts: counts(b.Counts), Traffic: allTraffic(b.Result), MemoryWords: e.BaselineMemoryWords,
			Footprint: b.Footprint.Total, RanksAdded: b.RanksAdded, Reduction: map[string]float64{},
		}
		if b.Timing != nil {
			out.Baseline.Cycles, out.Baseline.Seconds, out.Baseline.Energy = cyclesOf(b.Timing), &b.Timing.Seconds, energyOf(b.Timing.Energy)
		}
		for _, q := range Compare(e) {
			out.Baseline.Reduction[q.Key] = q.Reduction()
		}
	}
	out.Helps = helps(e)
	if p := e.Projection; p != nil {
		n := float64(p.Epochs)
		out.Projection = &Projection{
			p.Samples, p.Iterations, p.Epochs, p.SecondsPerEpoch, p.JoulesPerEpoch,
			n * p.SecondsPerEpoch, n * p.JoulesPerEpoch,
		}
	}
	return out
}

func onChipOf(o sim.OnChip, timed bool) OnChip {
	out := OnChip{Capacity: o.Capacity, Peak: o.Peak, Reads: o.Reads, Writes: o.Writes}
	for i, m := range o.Memories {
		b := Buffer{
			Holds: "all", Capacity: m.Capacity, Bank: m.Bank, Banks: m.Banks(), Ports: m.Ports,
			Peak: m.Peak, Reads: m.Reads, Writes: m.Writes,
		}
		if len(o.Memories) > 1 {
			b.Holds = role.Buffer(i).String()
		}
		if timed {
			b.Energy = &m.Energy
		}
		out.Buffers = append(out.Buffers, b)
	}
	return out
}

func trafficName(t schedule.Traffic) string {
	if t == schedule.Equations {
		return "equations"
	}
	return "all"
}

func residencyOf(e *design.Evaluation) Residency {
	r := Residency{
		Policy: residencyLayer, SkipUnread: e.Residency.SkipUnread, Pinned: []string{}, Bytes: e.Run.Pinned, Saved: e.Run.Saved.Words(),
	}
	if e.Residency.Resident {
		r.Policy = residencyResident
	}
	for _, pin := range e.Run.Policy.Pinned {
		r.Pinned = append(r.Pinned, pin.String())
	}
	return r
}

// isLayer tells whether the residency is the paper's.
func (r Residency) isLayer() bool { return r.Policy != residencyResident && !r.SkipUnread }

// text says what stays on chip and what that saves.
func (r Residency) text(capacity units.Bytes) string {
	text := fmt.Sprintf("resident: %s of %s on chip: %s", Bytes(r.Bytes), Bytes(capacity), runs(r.Pinned))
	switch {
	case r.Policy == residencyLayer:
		text = "nothing is resident"
	case len(r.Pinned) == 0:
		text = "nothing is resident: on this buffer all that could be would cost more traffic than it saves"
	}
	if r.SkipUnread {
		text += "; what nothing reads is not stored"
	}
	return text + fmt.Sprintf("; %s words are left out, in and beyond the equations", Integer(r.Saved))
}

// runs shortens "X", "dW^1", "dW^2", "dW^3", "W^2" to "X dW^1..3 W^2", in the
// order in which symbols come first.
func runs(tensors []string) string {
	var symbols []string
	numbers := map[string][]int{}
	for _, t := range tensors {
		symbol, index, indexed := strings.Cut(t, "^")
		if !slices.Contains(symbols, symbol) {
			symbols = append(symbols, symbol)
		}
		if n, err := strconv.Atoi(index); indexed && err == nil {
			numbers[symbol] = append(numbers[symbol], n)
		}
	}
	for i, symbol := range symbols {
		list := numbers[symbol]
		if list == nil {
			continue
		}
		slices.Sort(list)
		var parts []string
		for first := 0; first < len(list); {
			last := first
			for last+1 < len(list) && list[last+1] == list[last]+1 {
				last++
			}
			part := strconv.Itoa(list[first])
			if last > first {
				part += ".." + strconv.Itoa(list[last])
			}
			parts = append(parts, part)
			first = last + 1
		}
		symbols[i] += "^" + strings.Join(parts, ",")
	}
	return strings.Join(symbols, " ")
}

func counts(c sim.Counts) Counts {
	return Counts{
		Forward: Pass{c.Forward.Reads, c.Forward.Writes, c.Forward.Adds},
		Backward: BackwardPass{
			Pass{c.Backward.Reads, c.Backward.Writes, c.Backward.Adds}, c.Backward.MACs,
		},
	}
}

func cyclesOf(t *sim.Timing) *Cycles {
	c := t.Cycles
	return &Cycles{
		c.Total, c.PEBusy, c.DRAM, c.Overlap, c.StallPorts, c.StallLoad, c.StallStore, c.StallOther,
		c.Phase[sim.Forward], c.Phase[sim.Backward], c.Phase[sim.Update],
	}
}

func energyOf(e sim.Energy) *Energy {
	return &Energy{e.Total(), e.DRAM, e.OnChip, e.PE, e.Static, dramClasses(e.Commands)}
}

func dramClasses(e dram.Energy) map[string]units.Picojoules {
	return map[string]units.Picojoules{
		"activate": e.Activate, "read": e.Read, "write": e.Write, "refresh": e.Refresh,
		"background": e.Background, "vpp": e.VPP, "io": e.IO,
	}
}

func dramOf(r *sim.Result) DRAM {
	d := DRAM{
		Device: r.Hardware.DRAM.Name, Channels: r.Hardware.DRAM.Channels, Ranks: r.Hardware.DRAM.Ranks,
		Capacity: r.Footprint.Capacity, Footprint: r.Footprint.Total, Classes: map[string]units.Bytes{},
	}
	for c, bytes := range r.Footprint.Class {
		if bytes != 0 {
			d.Classes[role.Role(c).String()] = bytes
		}
	}
	if t := r.Timing; t != nil {
		s := t.DRAM
		d.Commands = &Commands{
			s.Reads, s.Writes, s.Activates, s.Precharges, s.Refreshes.PlusTotal(s.BankRefreshes), s.RowHitRate(), t.Utilisation,
		}
	}
	return d
}

// WriteJSON writes any report as indented JSON.
func WriteJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// WriteCSV writes any report as two columns: the JSON path of each value, and
// the value.
func WriteCSV(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // integers stay integers
	if err := decoder.Decode(&tree); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write([]string{"key", "value"}); err != nil {
		return err
	}
	if err := flatten(out, "", tree); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

func flatten(out *csv.Writer, path string, v any) error {
	join := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			if err := flatten(out, join(k), v[k]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for i, element := range v {
			if err := flatten(out, join(strconv.Itoa(i)), element); err != nil {
				return err
			}
		}
		return nil
	}
	return out.Write([]string{path, fmt.Sprint(v)})
}
