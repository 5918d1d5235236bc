package crosscheck_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// drawLayers writes layers in Table 2 notation that fit an input.
func drawLayers(r *rapid.T, channels, height, width int, direct bool) string {
	var tokens []string
	number := func(low, high int, what string) int { return rapid.IntRange(low, high).Draw(r, what) }
	after := func(extent, kernel, pad, stride int) int { return (extent+2*pad-kernel)/stride + 1 }
	values := direct // what the next layer reads are real values
	for range number(1, 4, "tokens") {
		kind := rapid.SampledFrom([]string{"C", "C", "FC", "RB"}).Draw(r, "kind")
		width2 := number(1, 3, "channels")
		repeats := number(1, 2, "repeats")
		token := fmt.Sprintf("%d%s", width2, kind)
		switch kind {
		case "C":
			pad := number(0, 2, "pad")
			kernel := number(1, min(4, height+2*pad, width+2*pad), "kernel")
			stride := number(1, 2, "stride")
			fits := repeats == 1 || (kernel <= after(height, kernel, pad, stride)+2*pad && kernel <= after(width, kernel, pad, stride)+2*pad)
			if !fits {
				repeats = 1
			}
			for range repeats {
				height, width = after(height, kernel, pad, stride), after(width, kernel, pad, stride)
			}
			token += fmt.Sprintf("%dp%ds%d", kernel, pad, stride)
		case "FC":
			height, width = 1, 1
		case "RB":
			if width2 == channels && values {
				width2++ // an identity shortcut of real values is refused
				token = fmt.Sprintf("%dRB", width2)
			}
			if width2 != channels {
				height, width = after(height, 3, 1, 2), after(width, 3, 1, 2)
			}
		}
		channels, values = width2, false
		if repeats > 1 {
			token += fmt.Sprintf("x%d", repeats)
		}
		tokens = append(tokens, token)
		if rapid.Bool().Draw(r, "BN") {
			tokens = append(tokens, "BN")
		}
		switch window := number(1, 3, "window"); {
		case rapid.IntRange(0, 2).Draw(r, "pool") > 0 || tokens[len(tokens)-1] == "BN" || window > min(height, width):
		case rapid.Bool().Draw(r, "adaptive"):
			tokens = append(tokens, "AdaptiveAP")
			height, width = 1, 1
		default:
			tokens = append(tokens, fmt.Sprintf("%dAP%d", channels, window))
			height, width = height/window, width/window
		}
	}
	return strings.Join(append(tokens, fmt.Sprintf("%dFC", number(1, 4, "classes"))), "-")
}

// drawWorkload writes a workload file and reads it.
func drawWorkload(r *rapid.T) *network.Workload {
	sample := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(r, what) }
	density := func(what string) string {
		return sample(what, "0", "0.1", "0.137", "0.0009765625", "0.333333333", "0.5", "1")
	}
	channels, height, width := rapid.IntRange(1, 3).Draw(r, "C"), rapid.IntRange(3, 7).Draw(r, "H"), rapid.IntRange(3, 7).Draw(r, "W")
	encoding := sample("encoding", "event", "direct")
	text := fmt.Sprintf("input: {channels: %d, height: %d, width: %d, encoding: %s}\nlayers: %s\ntimesteps: %d\nbatch: %d\n",
		channels, height, width, encoding, drawLayers(r, channels, height, width, encoding == "direct"),
		rapid.SampledFrom([]int{1, 2, 3, 4, 6}).Draw(r, "T"), rapid.IntRange(1, 5).Draw(r, "batch"))
	text += fmt.Sprintf("training: {loss: %s, optimizer: %s, momentum: %s, classifier: %s}\n",
		sample("loss", "mse", "ce"), sample("optimizer", "sgd", "adam", "rmsprop"), sample("momentum", "0", "0.9"), sample("classifier", "trainable", "random"))
	w, err := network.Read([]byte(text), "drawn.yaml")
	if err != nil {
		r.Fatalf("%v\n%s", err, text)
	}
	var layers []string
	for range w.Net.N() {
		layers = append(layers, density("layer density"))
	}
	text += fmt.Sprintf("activity:\n  input: %s\n  layers: [%s]\n", density("input density"), strings.Join(layers, ", "))
	var classifiers []string
	for range rapid.IntRange(0, min(3, w.Net.N())).Draw(r, "classifier densities") {
		classifiers = append(classifiers, density("classifier density"))
	}
	if classifiers != nil {
		text += fmt.Sprintf("  classifiers: [%s]\n", strings.Join(classifiers, ", "))
	}
	if w, err = network.Read([]byte(text), "drawn.yaml"); err != nil {
		r.Fatalf("%v\n%s", err, text)
	}
	r.Logf("%s", text)
	return w
}

// bursts returns how many bursts the transfers of a program need.
func bursts(p *schedule.Program, burst units.Bytes) (reads, writes int64) {
	var s schedule.Step
	for c := p.Start(); c.Next(&s); {
		for _, x := range s.Reads {
			reads += int64(units.CeilDiv(x.Words.Bytes(), burst))
		}
		for _, x := range s.Writes {
			writes += int64(units.CeilDiv(x.Words.Bytes(), burst))
		}
	}
	return reads, writes
}

// TestAnyWorkload holds the machine to the equations, and to what must hold of
// any machine, on workload files that nobody chose.
func TestAnyWorkload(t *testing.T) {
	hw := paperHardware(t)
	hw.DRAM = hw.DRAM.WithRanks(1)
	rapid.Check(t, func(r *rapid.T) {
		w := drawWorkload(r)
		k := rapid.SampledFrom(network.Divisors(w.Timesteps)).Draw(r, "k")
		n := rapid.IntRange(1, w.Net.N()).Draw(r, "n")
		traffic := schedule.Traffic(rapid.Bool().Draw(r, "only equations"))
		p, err := schedule.New(w, k, n, traffic)
		if err != nil {
			r.Fatal(err)
		}
		untimed, err := sim.Run(p, hw, sim.Options{Untimed: true})
		if err != nil {
			r.Fatal(err)
		}
		timed, err := sim.Run(p, hw, sim.Options{Energy: energy.Default()})
		if err != nil {
			r.Fatal(err)
		}
		if list, err := differences(untimed); err != nil || list != nil {
			r.Errorf("%v, %v", list, err)
		}
		if untimed.Steps != p.Steps() {
			r.Errorf("%d steps executed, the program has %d", untimed.Steps, p.Steps())
		}

		// Timing adds to what is counted and changes none of it.
		type counted struct {
			Counts     sim.Counts
			Beyond     sim.BeyondTotals
			Words      [role.InMemory]sim.Traffic
			Operations [pe.NumOps]int64
			Unread     [role.InMemory]int64
			Footprint  sim.Footprint
			Accesses   [2]units.Words
			Steps      int64
		}
		of := func(r *sim.Result) counted {
			return counted{
				r.Counts, r.Beyond, r.Words, r.Operations, r.Unread, r.Footprint,
				[2]units.Words{r.OnChip.Reads, r.OnChip.Writes},
				r.Steps,
			}
		}
		if diff := cmp.Diff(of(untimed), of(timed)); diff != "" {
			r.Errorf("untimed -, timed +:\n%s", diff)
		}
		if untimed.Timing != nil || timed.Timing == nil {
			r.Error("timing without being asked for, or none although it was")
		}
		if untimed.OnChip.Peak > timed.OnChip.Peak {
			r.Errorf("loading ahead takes less room: %d, without %d", timed.OnChip.Peak, untimed.OnChip.Peak)
		}
		if timed.OnChip.Peak > timed.OnChip.Capacity {
			r.Errorf("%d bytes on chip, where %d fit", timed.OnChip.Peak, timed.OnChip.Capacity)
		}

		// Clocks: PEs compute or wait for one thing.
		c := timed.Timing.Cycles
		sum := units.Sum(c.PEBusy, c.StallLoad, c.StallStore, c.StallOther)
		if over, _ := sum.Minus(c.Total).One(); over < 0 || over > 3 {
			r.Errorf("busy and stalled %d clocks of %d: %+v", sum, c.Total, c)
		}
		if phases := units.Sum(c.Phase[:]...); phases != c.PEBusy {
			r.Errorf("phases take %d of %d busy clocks", phases, c.PEBusy)
		}
		if c.DRAM.Plus(1).Less(units.Sum(c.StallLoad, c.StallStore)) || c.PEBusy.Less(c.Overlap) || c.Total.Less(c.DRAM) {
			r.Errorf("DRAM clocks: %+v", c)
		}
		if over, _ := units.Sum(c.StallLoad, c.StallStore, c.Overlap).Minus(c.DRAM).One(); over < 0 || over > 3 {
			r.Errorf("DRAM busy %d clocks, %d more while PEs wait or compute", c.DRAM, over)
		}

		// Bursts: every transfer on its own.
		reads, writes := bursts(p, hw.DRAM.BurstBytes())
		if d := timed.Timing.DRAM; d.Reads != reads || d.Writes != writes {
			r.Errorf("%d and %d bursts, the transfers need %d and %d", d.Reads, d.Writes, reads, writes)
		}
		if d := timed.Timing.DRAM; d.Activates != d.Precharges {
			r.Errorf("%d rows opened, %d closed", d.Activates, d.Precharges)
		}

		var words units.Words
		for _, traffic := range timed.Words {
			words += traffic.Reads + traffic.Writes
		}
		for _, beyond := range timed.Beyond.Words {
			words -= beyond
		}
		if words != timed.Counts.MemoryAccess() {
			r.Errorf("words by class less beyond are %d, covered are %d", words, timed.Counts.MemoryAccess())
		}
	})
}

// TestSmallerBufferIsSlowerOrRefused: with and without timing the same buffers
// are too small.
func TestSmallerBufferIsSlowerOrRefused(t *testing.T) {
	paper := paperHardware(t)
	rapid.Check(t, func(r *rapid.T) {
		w := drawWorkload(r)
		k := rapid.SampledFrom(network.Divisors(w.Timesteps)).Draw(r, "k")
		p, err := schedule.New(w, k, rapid.IntRange(1, w.Net.N()).Draw(r, "n"), schedule.Traffic(rapid.Bool().Draw(r, "only equations")))
		if err != nil {
			r.Fatal(err)
		}
		roomy, err := sim.Run(p, paper, sim.Options{Energy: energy.Default()})
		if err != nil {
			r.Fatal(err)
		}
		hw := *paper
		hw.OnChip = units.Words(rapid.Int64Range(1, int64(roomy.OnChip.Capacity/units.WordBytes)).Draw(r, "words")).Bytes()
		timed, refused := sim.Run(p, &hw, sim.Options{Energy: energy.Default()})
		untimed, refusedUntimed := sim.Run(p, &hw, sim.Options{Untimed: true})
		switch {
		case (refused == nil) != (refusedUntimed == nil):
			r.Errorf("%d bytes on chip: timed %v, untimed %v", hw.OnChip, refused, refusedUntimed)
		case refused != nil:
			if !strings.Contains(refused.Error(), "on chip") {
				r.Error(refused)
			}
		case timed.Counts != roomy.Counts || untimed.Counts != roomy.Counts:
			r.Errorf("counts depend on the buffer")
		case timed.Timing.Seconds < roomy.Timing.Seconds*0.9:
			r.Errorf("%v s with %d bytes on chip, %v s with %d", timed.Timing.Seconds, hw.OnChip, roomy.Timing.Seconds, roomy.OnChip.Capacity)
		}
	})
}
