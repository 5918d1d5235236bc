package sim

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// clockPorts runs a kernel clock by clock: in each of its clocks the PEs need
// the next words of every buffer; in each clock a buffer's ports serve a few of
// those still to come, ahead of the PEs if need be; the PEs stand still while a
// word is missing. It returns the clocks until both are done.
func clockPorts(cycles units.Cycles, need, perClock []units.Words) (clocks units.Cycles) {
	served, taken := make([]units.Words, len(need)), make([]units.Words, len(need))
	for done := units.Cycles(0); ; clocks++ {
		finished := done == cycles
		for i := range need {
			finished = finished && served[i] == need[i]*units.Words(cycles)
		}
		if finished {
			return clocks
		}
		ready := done < cycles
		for i := range need {
			left := need[i]*units.Words(cycles) - served[i]
			if perClock[i] == 0 {
				served[i] += left
			} else {
				served[i] += min(left, perClock[i])
			}
			ready = ready && served[i] >= taken[i]+need[i]
		}
		if ready {
			done++
			for i := range need {
				taken[i] += need[i]
			}
		}
	}
}

// TestPortsTakeWhatTheClockedBuffersTake: PEs that are busy for so many clocks
// and wait as long as execute says end when the clocked ones do.
func TestPortsTakeWhatTheClockedBuffersTake(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var memories []hardware.Buffer
		var need, perClock []units.Words
		cycles := units.Cycles(rapid.IntRange(1, 50).Draw(r, "cycles"))
		var a accesses
		for kind := range a {
			// Banks of a KiB each, some ports; none is no limit.
			b := hardware.Buffer{
				Capacity: units.KiB * units.Bytes(rapid.IntRange(1, 3).Draw(r, "banks")), Bank: units.KiB,
				Ports: rapid.IntRange(0, 3).Draw(r, "ports"),
			}
			words := units.Words(rapid.IntRange(0, 20).Draw(r, "words of a clock"))
			memories, need, perClock = append(memories, b), append(need, words), append(perClock, b.Accesses())
			a[kind].Writes = words * units.Words(cycles) / 3
			a[kind].Reads = words*units.Words(cycles) - a[kind].Writes
		}
		buffer := newLayerBuffer(memories, 4)
		got := max(cycles, buffer.serve(&a))
		if want := clockPorts(cycles, need, perClock); got != want {
			r.Errorf("%d clocks, clocked buffers take %d", got, want)
		}
		if buffer.counted() != a {
			r.Errorf("counted %v, executed %v", buffer.counted(), a)
		}
	})
}

// TestEveryAccessIsOfAKind: what a kernel reads and writes is what its operands
// in the four kinds of buffer are, together.
func TestEveryAccessIsOfAKind(t *testing.T) {
	seen := map[schedule.Op]bool{}
	for _, name := range vectorNames(t) {
		v := readVector(t, name)
		for d := range pe.Dataflows() {
			x := newProcessor(pe.Array{Rows: 3, Columns: 5, Lanes: 2, Dataflow: pe.Dataflow(d)}, v.workload, v.program)
			x.ledger = &ledger{}
			var s schedule.Step
			for c := v.program.Start(); c.Next(&s); {
				for _, k := range s.Kernels {
					cost, err := x.execute(&s, &k)
					if err != nil {
						t.Fatal(err)
					}
					var sum Traffic
					for _, words := range x.accesses {
						sum.Reads += words.Reads
						sum.Writes += words.Writes
					}
					if (sum != Traffic{cost.Reads, cost.Writes}) {
						t.Errorf("%s: %v accesses %+v, its buffers %+v", name, k.Op, Traffic{cost.Reads, cost.Writes}, sum)
					}
					seen[k.Op] = true
				}
			}
		}
	}
	for op := schedule.SynapticSum; op < schedule.Regenerate; op++ { // later ones are tiles'
		if !seen[op] {
			t.Errorf("no vector has %q", op)
		}
	}
}

// TestTensorsNeedTheirNumberFormat: numbers are never computed in another format
// than the hardware's.
func TestTensorsNeedTheirNumberFormat(t *testing.T) {
	v := readVector(t, "fc-bptt")
	_, datapath, err := runFixed(t, v, "q4.12")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		precision pe.Precision
		datapath  *fixed.Datapath
		accepted  bool
	}{
		{pe.FP32, nil, true},
		{pe.FP32, datapath, true},
		{pe.Fixed32, datapath, true},
		{pe.Fixed32, nil, false},
		{pe.Fixed16, datapath, false},
		{pe.FP16, nil, false},
	} {
		hw := *paperHardware(t)
		hw.PE.Precision = c.precision
		_, err := Run(v.program, &hw, Options{Untimed: true, Tensors: v.in, Datapath: c.datapath})
		if (err == nil) != c.accepted || err != nil && !errors.Is(err, ErrPrecision) {
			t.Errorf("%v, fixed-point datapath %v: %v", c.precision, c.datapath != nil, err)
		}
	}
}
