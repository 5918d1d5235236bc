package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// primes hands out numbers of which no two are equal, nor are their sums likely to
// be: each field of a result gets its own, and is looked for in what is reported.
type primes struct{ last int64 }

func (p *primes) next() int64 {
	for n := max(p.last+1, 101); ; n++ {
		prime := true
		for d := int64(2); d*d <= n && prime; d++ {
			prime = n%d != 0
		}
		if prime {
			p.last = n
			return n
		}
	}
}

func (p *primes) cycles() units.Total[units.Cycles] {
	return units.TotalOf(units.Cycles(p.next()))
}

// primeCycles is time of which every part is another prime.
func primeCycles() sim.Cycles {
	var p primes
	c := sim.Cycles{
		Total: p.cycles(), PEBusy: p.cycles(), DRAM: p.cycles(), Overlap: p.cycles(),
		StallPorts: p.cycles(), StallLoad: p.cycles(), StallStore: p.cycles(), StallOther: p.cycles(),
	}
	for i := range c.Phase {
		c.Phase[i] = p.cycles()
	}
	return c
}

// TestEachPartOfTheTimeHasItsKey in JSON.
func TestEachPartOfTheTimeHasItsKey(t *testing.T) {
	c := primeCycles()
	text, err := json.Marshal(cyclesOf(&sim.Timing{Cycles: c}))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]units.Total[units.Cycles]
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]units.Total[units.Cycles]{
		"total": c.Total, "pe_busy": c.PEBusy, "dram_busy": c.DRAM, "overlap": c.Overlap,
		"stall_ports": c.StallPorts, "stall_load": c.StallLoad, "stall_store": c.StallStore, "stall_other": c.StallOther,
		"pe_forward": c.Phase[sim.Forward], "pe_backward": c.Phase[sim.Backward], "pe_update": c.Phase[sim.Update],
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestEachPartOfTheTimeHasItsBar, in the colour and under the name of its legend.
func TestEachPartOfTheTimeHasItsBar(t *testing.T) {
	c := primeCycles()
	r := &Run{Cycles: cyclesOf(&sim.Timing{Cycles: c}), Hardware: Hardware{Clock: 1}}
	want := []struct {
		color, name string
		v           units.Total[units.Cycles]
	}{
		{"blue", "forward", c.Phase[sim.Forward]},
		{"orange", "backward", c.Phase[sim.Backward]},
		{"green", "update", c.Phase[sim.Update]},
		{"purple", "PEs wait for on-chip ports", c.StallPorts},
		{"light", "PEs wait for loads", c.StallLoad},
		{"grey", "PEs wait for stores", c.StallStore},
		{"dark", "PEs wait for neither", c.StallOther},
	}
	for i, a := range timeAmounts(r) {
		if w := want[i]; a.Color != w.color || a.Name != w.name || a.v != w.v.Float64() {
			t.Errorf("%s %q is %v, want %s %q of %d", a.Color, a.Name, a.v, w.color, w.name, w.v)
		}
	}
}

// TestEachPartOfTheEnergyHasItsBarAndKey.
func TestEachPartOfTheEnergyHasItsBarAndKey(t *testing.T) {
	var p primes
	pj := func() units.Picojoules { return units.Picojoules(p.next()) }
	e := sim.Energy{
		DRAM: pj(), OnChip: pj(), PE: pj(), Static: pj(),
		Commands: dram.Energy{Activate: pj(), Read: pj(), Write: pj(), Refresh: pj(), Background: pj(), VPP: pj(), IO: pj()},
	}
	of := energyOf(e)
	c := newChart("", []entry{{"run", "", energyAmounts(of)}})
	whole := float64(e.DRAM + e.OnChip + e.PE + e.Static)
	for i, w := range []struct {
		color, name string
		v           units.Picojoules
	}{{"blue", "DRAM", e.DRAM}, {"sky", "on-chip accesses", e.OnChip}, {"orange", "PE operations", e.PE}, {"grey", "leakage of PEs and on-chip memory", e.Static}} {
		part := c.Bars[0].Parts[i]
		if part.Color != w.color || part.Tip != w.name+": "+Joules(w.v) || int(part.Width+0.5) != int(1000*float64(w.v)/whole+0.5) || c.Legend[i] != (key{w.color, w.name}) {
			t.Errorf("%+v, want %s %s of %v pJ", part, w.color, w.name, w.v)
		}
	}
	text, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"total":%v,"dram":%v,"onchip":%v,"pe":%v,"static":%v,"dram_classes":`+
		`{"activate":%v,"background":%v,"io":%v,"read":%v,"refresh":%v,"vpp":%v,"write":%v}}`, whole, e.DRAM, e.OnChip, e.PE, e.Static,
		e.Commands.Activate, e.Commands.Background, e.Commands.IO, e.Commands.Read, e.Commands.Refresh, e.Commands.VPP, e.Commands.Write)
	if string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
}

// TestPerfettoShowsReadsAsReads: a rate is that of its direction, from when a
// transfer begins to when it ends.
func TestPerfettoShowsReadsAsReads(t *testing.T) {
	us := func(n int64) units.Time { return units.TotalOf(microsecond).Times(n) }
	trace := &sim.Trace{Limit: 2, Total: 2, Fill: make([][]sim.Level, 1), Spans: []sim.Span{
		{Track: sim.Port, From: us(10), To: us(12), Words: 1009, Tensor: role.Weight.At(1, 0)},
		{Track: sim.Port, From: us(20), To: us(21), Words: 4001, Write: true, Tensor: role.Potential.At(1, 1)},
	}}
	var b bytes.Buffer
	if err := WritePerfetto(&b, &Run{Hardware: Hardware{Word: 2}}, trace); err != nil {
		t.Fatal(err)
	}
	var file struct {
		TraceEvents []struct {
			Ph, Name string
			Ts       float64
			Args     map[string]any
		}
	}
	if err := json.Unmarshal(b.Bytes(), &file); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range file.TraceEvents {
		if e.Ph == "C" {
			got = append(got, fmt.Sprintf("%v %s %v", e.Ts, e.Name, e.Args["GB/s"]))
		}
	}
	want := []string{
		"10 DRAM read 1.009", "10 DRAM write 0", "12 DRAM read 0", "12 DRAM write 0",
		"20 DRAM read 0", "20 DRAM write 8.002", "21 DRAM read 0", "21 DRAM write 0",
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("%v,\nwant %v", got, want)
	}
}

// TestEachGroupsTimeHasItsColumn in the table of PE groups.
func TestEachGroupsTimeHasItsColumn(t *testing.T) {
	var p primes
	r := &Run{Cycles: &Cycles{Total: units.TotalOf[units.Cycles](10000)}}
	want := [2][]string{}
	for i := range want {
		g := Group{First: i + 1, Last: i + 1, GroupTime: &GroupTime{p.cycles(), p.cycles(), p.cycles(), p.cycles(), p.cycles()}}
		r.Schedule.Groups = append(r.Schedule.Groups, g)
		for _, v := range []units.Total[units.Cycles]{g.PEBusy, g.StallPorts, g.StallLoad, g.StallStore, g.StallOther} {
			want[i] = append(want[i], Percent(v.Float64()/100))
		}
	}
	for i, row := range groupTable(r).Rows {
		if got := row[1:6]; !reflect.DeepEqual(got, want[i]) {
			t.Errorf("group %d: %v, want %v", i+1, got, want[i])
		}
	}
}

// TestAPartIsBoundByWhatTakesItLongest, waiting for other groups among it.
func TestAPartIsBoundByWhatTakesItLongest(t *testing.T) {
	ps := func(n int64) units.Time { return units.TotalOf(units.Picoseconds(n)) }
	for _, c := range []struct {
		pes, ports, dram, others int64
		want                     string
	}{
		{5, 0, 3, 0, "PEs"},
		{5, 7, 3, 0, "on-chip ports"},
		{5, 7, 11, 0, "DRAM"},
		{5, 7, 11, 300, "other groups"}, // for 95 % of its time
		{5, 5, 5, 5, "PEs"},
	} {
		p := PartTime{PEBusy: ps(c.pes), PortsBusy: ps(c.ports), DRAMBusy: ps(c.dram), WaitOther: ps(c.others)}
		if got := p.longest(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestTotalsBeyond64BitsAreReported as the integers that they are.
func TestTotalsBeyond64BitsAreReported(t *testing.T) {
	c := primeCycles()
	c.Total = units.TotalOf[units.Cycles](1 << 62).Times(4).Plus(7)
	text, err := json.Marshal(cyclesOf(&sim.Timing{Cycles: c}))
	if err != nil || !strings.Contains(string(text), `"total":18446744073709551623,`) {
		t.Errorf("%s, %v", text, err)
	}
	if got := Total(c.Total); got != "18,446,744,073,709,551,623" {
		t.Error(got)
	}
	var again Cycles
	if err := json.Unmarshal(text, &again); err != nil || again.Total != c.Total {
		t.Errorf("read again: %v, %v", again.Total, err)
	}
}
