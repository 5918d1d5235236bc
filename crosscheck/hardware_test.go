package crosscheck_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// drawHardware writes a hardware file.
func drawHardware(r *rapid.T) string {
	number := func(low, high int, what string) int { return rapid.IntRange(low, high).Draw(r, what) }
	sample := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(r, what) }
	buffer := func(what string, low, high int) string {
		banks := 1 << number(0, 4, what+" banks")
		text := fmt.Sprintf("capacity: %dB", banks*number(max(low/banks, 1024/banks), high/banks, what+" bytes of a bank"))
		switch number(0, 2, what+" limits") {
		case 1:
			text += fmt.Sprintf(", banks: %d", banks)
		case 2:
			text += fmt.Sprintf(", banks: %d, ports: %d", banks, number(1, 4, what+" ports"))
		}
		return text
	}
	var text strings.Builder
	fmt.Fprintf(&text, "pe: {rows: %d, columns: %d, lanes: %d, pipeline: %d, clock: %dMHz, dataflow: %s, precision: %s, groups: %s}\n",
		number(1, 40, "rows"), number(1, 40, "columns"), number(1, 64, "lanes"), number(0, 9, "pipeline"), number(50, 900, "clock"),
		sample("dataflow", pe.Dataflows()...), sample("precision", pe.Precisions()...), sample("groups", "1", "2", "3", "block"))
	if rapid.Bool().Draw(r, "separate") {
		text.WriteString("onchip:\n")
		for kind := range role.Buffers {
			name := role.Buffer(kind).String()
			fmt.Fprintf(&text, "  %s: {%s}\n", name, buffer(name, 1<<10, 32<<10))
		}
	} else {
		fmt.Fprintf(&text, "onchip: {%s}\n", buffer("shared", 1<<10, 128<<10))
	}
	fmt.Fprintf(&text, "dma: {engines: %d}\n", number(1, 3, "engines"))
	fmt.Fprintf(&text, "dram: {device: %s, channels: %d, ranks: %d}\n",
		sample("device", "ddr4-2400", "lpddr4-3200", "hbm2"), 1<<number(0, 2, "channels"), 1<<number(0, 1, "ranks"))
	return text.String()
}

// TestAnyHardwareFile: whatever the machine, it comes to an end, moves and
// executes what the equations say, holds no more than fits, and is as busy and as
// long waiting as time passes; or it says what is too small.
func TestAnyHardwareFile(t *testing.T) {
	var ran, pipelined, waited int
	rapid.Check(t, func(r *rapid.T) {
		text := drawHardware(r)
		hw, err := hardware.Read([]byte(text), "drawn.yaml")
		if err != nil {
			r.Fatal(err)
		}
		w := drawWorkload(r)
		k := rapid.SampledFrom(network.Divisors(w.Timesteps)).Draw(r, "k")
		p, err := schedule.New(w, k, rapid.IntRange(1, w.Net.N()).Draw(r, "n"), schedule.All)
		if err != nil {
			r.Fatal(err)
		}
		o := sim.Options{}
		if hw.Groups != 1 && len(p.Blocks) > 1 {
			o.Order = schedule.Pipelined
			pipelined++
		}
		timed, err := sim.Run(p, hw, o)
		o.Untimed = true
		untimed, refused := sim.Run(p, hw, o)
		if (err == nil) != (refused == nil) {
			r.Fatalf("timed %v, untimed %v", err, refused)
		}
		if err != nil {
			if !errors.As(err, new(*tiling.TooSmall)) {
				r.Error(err)
			}
			return
		}
		ran++
		for _, result := range []*sim.Result{timed, untimed} {
			if list, err := differences(result); err != nil || list != nil {
				r.Errorf("%v, %v", list, err)
			}
			for i, g := range result.Groups {
				for j, m := range g.OnChip.Memories {
					if m.Peak > m.Capacity {
						r.Errorf("group %d, memory %d: %d bytes where %d fit", i, j, m.Peak, m.Capacity)
					}
				}
			}
		}
		if timed.Counts != untimed.Counts || timed.Beyond != untimed.Beyond || timed.Words != untimed.Words {
			r.Error("timing changes what is counted")
		}
		c, groups := timed.Timing.Cycles, int64(len(timed.Groups))
		if c.StallPorts.Sign() > 0 {
			waited++
		}
		sum := units.Sum(c.PEBusy, c.StallPorts, c.StallLoad, c.StallStore, c.StallOther)
		if off, _ := sum.Minus(c.Total.Times(groups)).One(); int64(off) < -4*groups || int64(off) > 4*groups {
			r.Errorf("%d groups busy and stalled %d clocks of %d each", groups, sum, c.Total)
		}
		if c.StallPorts.Sign() > 0 && !timed.OnChip.Limited() {
			r.Errorf("waits for ports that have no limit")
		}
	})
	t.Logf("%d ran, %d pipelined, %d waited for ports", ran, pipelined, waited)
	if ran == 0 || waited == 0 {
		t.Error("nothing was tested")
	}
}
