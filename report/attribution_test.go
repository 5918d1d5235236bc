package report_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// throughJSON is what a script sees of a run.
func throughJSON(t *testing.T, r *report.Run) (*report.Run, string) {
	t.Helper()
	var text bytes.Buffer
	if err := report.WriteJSON(&text, r); err != nil {
		t.Fatal(err)
	}
	whole := text.String()
	back, err := report.ReadRun(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return back, whole
}

func TestAttributionInJSONAddsUpToTheRun(t *testing.T) {
	_, r := evaluate(t, "lenet2", 10, 2, 8, sim.Options{})
	r, _ = throughJSON(t, r)
	words := map[string]report.Traffic{}
	tensors := map[string]report.Traffic{}
	var onChip report.Traffic
	var cycles, kernels units.Total[units.Cycles]
	var time units.Time
	var bursts [2]int64
	var activates, operations, ofParts int64
	var energy, share float64
	for _, p := range r.Attribution.Parts {
		time.AddTotal(p.Time)
		ofParts += p.Operations
		share += p.SharePercent
		energy += float64(p.Energy.Total)
		if longer := p.Bottleneck == "DRAM"; longer != p.PEBusy.Less(p.DRAMBusy) {
			t.Errorf("%s is bound by %s, with PEs busy for %d ps and DRAM for %d", p.Name, p.Bottleneck, p.PEBusy, p.DRAMBusy)
		}
		for _, s := range p.Phases {
			cycles.AddTotal(s.PECycles)
			for _, c := range s.Kernels {
				kernels.AddTotal(c)
			}
			for _, n := range s.Operations {
				operations += n
			}
			onChip.Reads += s.OnChip.Reads
			onChip.Writes += s.OnChip.Writes
			dram := float64(s.DRAMIdle)
			for class, moved := range s.Tensors {
				sum := words[class]
				sum.Reads += moved.Traffic.Reads
				sum.Writes += moved.Traffic.Writes
				words[class] = sum
				bursts[0] += moved.TensorTime.Reads
				bursts[1] += moved.TensorTime.Writes
				activates += moved.Activates
				for _, command := range moved.Energy {
					dram += float64(command)
				}
			}
			if whole := float64(s.Energy.DRAM); math.Abs(dram-whole) > 1e-9*whole {
				t.Errorf("%s %s: tensors and idling take %g pJ of DRAM, the share has %g", p.Name, s.Phase, dram, whole)
			}
		}
	}
	for class, moved := range r.Attribution.Tensors {
		tensors[class] = moved.Traffic
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"words", words, r.Words},
		{"words by tensor", tensors, r.Words},
		{"accesses", onChip, report.Traffic{Reads: r.OnChip.Reads, Writes: r.OnChip.Writes}},
		{"PE clocks", cycles, r.Cycles.PEBusy},
		{"clocks of kernels", kernels, r.Cycles.PEBusy},
		{"operations", operations, ofParts},
		{"bursts", bursts, [2]int64{r.DRAM.Reads, r.DRAM.Writes}},
		{"activates", activates, r.DRAM.Activates},
		{"time", units.Seconds(time), *r.Seconds},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-run +attribution):\n%s", c.what, diff)
		}
	}
	if whole := float64(r.Energy.Total); math.Abs(energy-whole) > 1e-9*whole {
		t.Errorf("parts take %g pJ, the run %g", energy, whole)
	}
	if math.Abs(share-100) > 1e-6 {
		t.Errorf("shares of the time add up to %g %%", share)
	}
}

func TestWithoutTimingNothingOfItIsThere(t *testing.T) {
	_, r := evaluate(t, "lenet1", 20, 4, 2, sim.Options{Untimed: true})
	_, text := throughJSON(t, r)
	for _, key := range []string{"_ps", "energy", "roofline", "bottleneck", "what_would_help", "seconds", "activates"} {
		if strings.Contains(text, key) {
			t.Errorf("an untimed run has %q in its JSON", key)
		}
	}
	if r.Attribution == nil || len(r.Attribution.Parts) == 0 {
		t.Error("an untimed run has counts by layer")
	}
	var page bytes.Buffer
	if err := report.WriteHTML(&page, r, nil); err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"Where the time went", "Roofline", "Timeline"} {
		if strings.Contains(page.String(), title) {
			t.Errorf("an untimed run has %q in its page", title)
		}
	}
}

func TestHelpIsWhatTheStrongerMachineTakes(t *testing.T) {
	e, r := evaluate(t, "lenet1", 1, 2, 16, sim.Options{})
	if len(r.Helps) != 2 {
		t.Fatalf("%d helps, want bandwidth and PEs", len(r.Helps))
	}
	for i, h := range r.Helps {
		if h.Refusal != "" || *h.Seconds <= 0 || *h.Seconds > e.Run.Timing.Seconds {
			t.Errorf("%s takes %v s, the run %v", h.Text, *h.Seconds, e.Run.Timing.Seconds)
		}
		if want := 100 * (1 - e.Helps[i].Seconds/e.Run.Timing.Seconds); *h.TimeSaved != want {
			t.Errorf("%s saves %v %%, want %v", h.Text, *h.TimeSaved, want)
		}
	}
	if hw := e.Run.Hardware; hw.DRAM.Channels != 1 || hw.PE.Rows != 32 || hw.PE.Lanes != 256 {
		t.Error("helping changed the hardware of the run")
	}
}
