package crosscheck_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/crosscheck"
	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// drawn is a program on hardware that it fits on, as a user may ask for it.
type drawn struct {
	program   *schedule.Program // under the policy
	paper     *schedule.Program // without
	hardware  *hardware.Hardware
	residency sim.Residency
	order     schedule.Order
	plan      *sim.Plan
}

func drawMachine(r *rapid.T) drawn {
	d := drawn{
		paper:     drawProgram(r),
		residency: sim.Residency{Resident: rapid.Bool().Draw(r, "resident"), SkipUnread: rapid.Bool().Draw(r, "skip unread")},
	}
	var err error
	if d.hardware, err = hardware.Read([]byte(drawHardware(r)), "drawn.yaml"); err != nil {
		r.Fatal(err)
	}
	if rapid.Bool().Draw(r, "pipelined") && (d.hardware.Groups != 1 || len(d.paper.Blocks) == 1) {
		d.order = schedule.Pipelined
	}
	// What does not fit gets what the refusal asks for, or a little more.
	for refused := 0; ; refused++ {
		_, err := sim.NewPlan(d.paper, d.hardware, d.order, nil)
		var small *tiling.TooSmall
		if !errors.As(err, &small) {
			if err != nil {
				r.Fatal(err)
			}
			break
		}
		if refused > 4*role.Buffers*len(d.paper.Blocks) {
			r.Fatalf("refused again and again: %v", err)
		}
		percent := units.Bytes(100 + rapid.IntRange(0, 60).Draw(r, "percent of what would do"))
		if !d.hardware.Separate {
			d.hardware.OnChip = small.Needs * percent / 100
			continue
		}
		for b := range d.hardware.Buffers {
			if of := &d.hardware.Buffers[b]; role.Buffer(b).String() == small.Buffer {
				d.hardware.OnChip -= of.Capacity
				of.Capacity = small.Needs * percent / 100
				d.hardware.OnChip += of.Capacity
			}
		}
	}
	if d.plan, err = d.residency.Plan(d.paper, d.hardware, d.order, nil); err != nil {
		r.Fatal(err)
	}
	d.program = d.plan.Program()
	return d
}

func (d drawn) run(r *rapid.T, o sim.Options) *sim.Result {
	result, err := d.plan.Run(o)
	if err != nil {
		r.Fatal(err)
	}
	return result
}

func moved(result *sim.Result) (words units.Words) {
	for _, c := range result.Words {
		words += c.Reads + c.Writes
	}
	return words
}

// TestAnyMachineDoesThePapersWork: whatever the hardware, the schedule and what
// stays on chip, an iteration ends; it executes and moves what Eqs. 11-17 say,
// but for the words that were left out on purpose; no buffer ever holds more
// than it can; and timing changes no counter.
func TestAnyMachineDoesThePapersWork(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := drawMachine(r)
		timed := d.run(r, sim.Options{})
		everythingIsAccountedFor(r, timed)
		for _, group := range timed.Groups {
			for i, b := range group.OnChip.Memories {
				if b.Peak > b.Capacity {
					r.Errorf("blocks %d to %d: buffer %d holds %d bytes of %d", group.First, group.Last, i, b.Peak, b.Capacity)
				}
			}
		}
		if c := timed.Timing.Cycles; c.Total.Sign() <= 0 || c.Total.Times(int64(len(timed.Groups))).Less(c.PEBusy) {
			r.Errorf("%+v in %d groups", c, len(timed.Groups))
		}
		untimed := d.run(r, sim.Options{Untimed: true})
		if timed.Counts != untimed.Counts || timed.Beyond != untimed.Beyond || timed.Words != untimed.Words || timed.Operations != untimed.Operations {
			r.Errorf("timed %+v\nuntimed %+v", timed.Counts, untimed.Counts)
		}
	})
}

// TestWhatIsReadWasThere: every burst that is read from DRAM was written before,
// or holds what is there before the iteration. The check knows addresses only.
func TestWhatIsReadWasThere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := drawMachine(r)
		list, err := d.plan.Addresses()
		if err != nil {
			r.Fatal(err)
		}
		burst := d.hardware.DRAM.BurstBytes()
		there := map[units.Bytes]bool{}
		for _, a := range list {
			for slot := range a.Slots {
				if !a.Initial || slot > 0 && !a.Constant {
					continue
				}
				from := a.Base + units.Bytes(slot)*a.Stride
				for at := from; at < from+a.Words.Of(d.hardware.PE.Precision.Word()); at += burst {
					there[at] = true
				}
			}
		}
		reads := 0
		d.run(r, sim.Options{Requests: func(_ units.Time, s dram.Stream) {
			for i := range s.Bursts {
				at := s.Addr + units.Bytes(i)*burst
				switch {
				case s.Write:
					there[at] = true
				case !there[at]:
					r.Fatalf("address %#x is read, but nothing wrote it", int64(at))
				default:
					reads++
				}
			}
		}})
		if reads == 0 {
			r.Error("nothing is read")
		}
	})
}

// TestMoreHardwareNeverMovesMoreWords: neither with more channels and faster
// DRAM, nor with more room on chip.
func TestMoreHardwareNeverMovesMoreWords(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := drawMachine(r)
		before := moved(d.run(r, sim.Options{Untimed: true}))
		more := *d.hardware
		what := rapid.SampledFrom([]string{"bandwidth", "capacity"}).Draw(r, "more")
		if what == "bandwidth" {
			more.DRAM = more.DRAM.WithChannels(2 * more.DRAM.Channels)
		} else {
			if more.OnChip == 0 {
				r.Skip("the buffer is as large as it takes")
			}
			percent := units.Bytes(rapid.IntRange(1, 300).Draw(r, "percent more"))
			more.OnChip = 0
			for b := range more.Buffers {
				more.Buffers[b].Capacity += more.Buffers[b].Capacity * percent / 100
				more.OnChip += more.Buffers[b].Capacity
			}
			if !more.Separate {
				more.OnChip = d.hardware.OnChip + d.hardware.OnChip*percent/100
			}
		}
		stronger := drawn{hardware: &more}
		var err error
		if stronger.plan, err = d.residency.Plan(d.paper, &more, d.order, nil); err != nil {
			r.Fatal(err)
		}
		if after := moved(stronger.run(r, sim.Options{Untimed: true})); after > before {
			r.Errorf("%d words with more %s, %d without", after, what, before)
		}
	})
}

// TestAnyMachineComputesTheTrainersNumbers on hardware that computes in fp32.
func TestAnyMachineComputesTheTrainersNumbers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := drawMachine(r)
		if d.hardware.PE.Precision != pe.FP32 {
			r.Skip("tensors are computed in fp32")
		}
		in := crosscheck.RandomInput(d.program.Workload(), d.program.Blocks, uint64(rapid.IntRange(1, 1000).Draw(r, "seed")))
		v, err := crosscheck.Verify(d.plan, in, sim.Options{Untimed: rapid.Bool().Draw(r, "untimed")})
		if err != nil {
			r.Fatal(err)
		}
		if !v.Pass {
			var different []string
			for _, row := range v.Rows {
				if row.Differing > 0 {
					different = append(different, fmt.Sprintf("%s: %d of %d", row.Tensor, row.Differing, row.Values))
				}
			}
			r.Errorf("values differ: %s", strings.Join(different, "; "))
		}
	})
}
