package tiling_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// machine is the paper's with a finite layer buffer.
func machine(t testing.TB, onChip units.Bytes) *hardware.Hardware {
	t.Helper()
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	hw.OnChip = onChip
	return hw
}

func run(t testing.TB, w *network.Workload, k, n int, onChip units.Bytes, untimed bool) (*sim.Result, error) {
	t.Helper()
	p, err := schedule.New(w, k, n, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	return sim.Run(p, machine(t, onChip), sim.Options{Untimed: untimed})
}

func open(t testing.TB, name string) *network.Workload {
	t.Helper()
	w, err := network.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// sameWork fails unless both runs moved the words and executed the operations
// that Eqs. 11-17 cover, and everything beyond them but refetching, alike.
func sameWork(t interface{ Errorf(string, ...any) }, got, want *sim.Result) {
	if got.Counts != want.Counts {
		t.Errorf("counts %+v, not %+v", got.Counts, want.Counts)
	}
	for b := range schedule.NumBeyond {
		why := schedule.Beyond(b)
		if why == schedule.BeyondRefetch {
			continue
		}
		if got.Beyond.Words[b] != want.Beyond.Words[b] {
			t.Errorf("%v: %d words, not %d", why, got.Beyond.Words[b], want.Beyond.Words[b])
		}
		if why != schedule.BeyondRandom && got.Beyond.Operations[b] != want.Beyond.Operations[b] {
			t.Errorf("%v: %d operations, not %d", why, got.Beyond.Operations[b], want.Beyond.Operations[b])
		}
	}
}

func TestSmallBuffersChangeNothingButRefetching(t *testing.T) {
	for _, c := range []struct {
		net  string
		k, n int
	}{{"lenet1", 4, 2}, {"lenet1", 1, 1}, {"lenet2", 5, 1}, {"vgg11", 2, 5}, {"resnet18", 4, 3}, {"resnet18", 1, 20}} {
		for _, classifier := range []string{network.Trainable, network.Random} {
			if raceEnabled && classifier == network.Random {
				continue
			}
			w := open(t, c.net)
			w.Batch, w.Training.Classifier = 8, classifier
			want, err := run(t, w, c.k, c.n, 0, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, capacity := range []units.Bytes{256 * units.KiB, units.MiB, 16 * units.MiB} {
				got, err := run(t, w, c.k, c.n, capacity, true)
				if err != nil {
					t.Errorf("%s (%d,%d) in %d bytes: %v", c.net, c.k, c.n, capacity, err)
					continue
				}
				sameWork(t, got, want)
				if got.OnChip.Peak > capacity {
					t.Errorf("%s in %d bytes holds %d", c.net, capacity, got.OnChip.Peak)
				}
			}
		}
	}
}

func TestARoomyBufferRefetchesNothing(t *testing.T) {
	w := open(t, "lenet1")
	r, err := run(t, w, 4, 2, 64*units.MiB, false)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Beyond.Words[schedule.BeyondRefetch]; n != 0 {
		t.Errorf("%d words are fetched again", n)
	}
}

// words returns what an iteration moved across the DRAM port.
func words(r *sim.Result) (sum units.Words) {
	for _, c := range r.Words {
		sum += c.Reads + c.Writes
	}
	return sum
}

// Where a step fits whole, twice over, it is not cut: plans in less room cost the
// same by the planner's account, but tiles wait for each other.
func TestWhereThereIsRoomNothingIsCut(t *testing.T) {
	w := open(t, "lenet1")
	w.Batch, w.Timesteps = 4, 8
	p, err := schedule.New(w, 8, 4, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	room := tiling.Room{Shared: true, Words: tiling.Words{24 * units.Words(units.MiB) / 4}, Word: units.WordBytes}
	plan, err := tiling.New(p, room, 0, machine(t, 24*units.MiB).PE, nil)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Tiled() {
		t.Error("steps are cut, although all of a step is a fiftieth of the buffer")
	}
}

// TestMoreCapacityNeverMovesMoreWords on ladders from the smallest capacity that
// does.
func TestMoreCapacityNeverMovesMoreWords(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and long: make test runs it without the race detector")
	}
	for _, c := range []struct {
		net  string
		k, n int
		step units.Words // one in so many words more each time
	}{{"lenet1", 5, 2, 20}, {"alexnet", 10, 1, 2}, {"vgg11", 2, 3, 1}, {"resnet18", 4, 3, 1}} {
		p, err := schedule.New(open(t, c.net), c.k, c.n, schedule.All)
		if err != nil {
			t.Fatal(err)
		}
		memo, last := new(tiling.Memo), units.Words(-1)
		for capacity := units.Words(4 * units.KiB); capacity < 64<<20; capacity += capacity / c.step {
			room := tiling.Room{Shared: true, Words: tiling.Words{capacity}, Word: units.WordBytes}
			plan, err := tiling.New(p, room, 0, pe.Array{Rows: 32, Columns: 32, Lanes: 256, Pipeline: 8}, memo)
			var small *tiling.TooSmall
			if errors.As(err, &small) && last < 0 {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			n := plan.Traffic()
			if last >= 0 && n > last {
				t.Errorf("%s (%d,%d): %d words with %d on chip, %d with fewer", c.net, c.k, c.n, n, capacity, last)
			}
			last = n
		}
	}
}

func TestTheRefusalNamesACapacityThatDoes(t *testing.T) {
	w := open(t, "resnet18")
	w.Batch = 16
	plan := func(capacity units.Bytes) error {
		p, err := schedule.New(w, 4, 3, schedule.All)
		if err != nil {
			t.Fatal(err)
		}
		hw := machine(t, capacity)
		room := tiling.Room{Shared: true, Words: tiling.Words{units.Words(capacity / units.WordBytes)}, Word: units.WordBytes}
		_, err = tiling.New(p, room, 0, hw.PE, nil)
		return err
	}
	var small *tiling.TooSmall
	if err := plan(2 * units.KiB); !errors.As(err, &small) {
		t.Fatalf("2 KiB: %v", err)
	}
	if small.Needs <= 2*units.KiB {
		t.Fatalf("%d bytes are said to do where 2 KiB do not", small.Needs)
	}
	if err := plan(small.Needs); err != nil {
		t.Errorf("the named capacity does not do: %v", err)
	}
	if err := plan(small.Needs - units.WordBytes); err == nil {
		t.Errorf("%d bytes are not the smallest capacity that does", small.Needs)
	}
}

// Random convolutional, residual and fully connected networks in random
// buffers: the same work, never more than the buffer holds, and no step that
// reads what is not there, timed or not.
func TestRandomNetworksFitRandomBuffers(t *testing.T) {
	layers := []string{
		"4C3-4AP2-6C3-12FC-5FC", "4C3-BN-4AP2-6C3s2-BN-12FC-BN-5FC", "4C3-4RB-6RB-AdaptiveAP-5FC",
		"4C3-BN-4RB-BN-6RB-BN-AdaptiveAP-5FC", "12FC-10FC-5FC", "8C5p0-8AP3-16FCx2-3FC", "3RB-3RB-7FC",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(layers).Draw(t, "layers")
		channels := rapid.IntRange(1, 3).Draw(t, "channels")
		side := rapid.IntRange(8, 13).Draw(t, "side")
		encoding := rapid.SampledFrom([]network.Encoding{network.Event, network.Direct}).Draw(t, "encoding")
		net, err := network.Parse(text, network.Shape{Channels: channels, Height: side, Width: side}, encoding)
		if err != nil {
			t.Skip(err)
		}
		w := &network.Workload{
			Name: "random", Net: net, Batch: rapid.IntRange(1, 9).Draw(t, "batch"), Timesteps: 4,
			Neuron:   network.Neuron{Leak: 0.5, Threshold: 0.5, SurrogateWidth: 1},
			Activity: network.Uniform(units.Density{}, net.N()),
			Training: network.Training{
				Loss: network.MSE, Optimizer: rapid.SampledFrom([]string{network.SGD, network.Adam}).Draw(t, "optimizer"),
				Momentum: 0.9, Classifier: rapid.SampledFrom([]string{network.Trainable, network.Random}).Draw(t, "classifier"),
			},
		}
		k := rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "k")
		n := rapid.IntRange(1, net.N()).Draw(t, "n")
		program := func() *schedule.Program {
			p, err := schedule.New(w, k, n, schedule.All)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		hw, err := hardware.Open("paper")
		if err != nil {
			t.Fatal(err)
		}
		want, err := sim.Run(program(), hw, sim.Options{Untimed: true})
		if err != nil {
			t.Fatal(err)
		}
		small := *hw
		small.OnChip = units.Bytes(rapid.IntRange(1<<10, 1<<17).Draw(t, "capacity"))
		for _, untimed := range []bool{true, false} {
			got, err := sim.Run(program(), &small, sim.Options{Untimed: untimed})
			var refused *tiling.TooSmall
			if errors.As(err, &refused) && refused.Needs > small.OnChip {
				t.Skip("too small for any tile")
			}
			if err != nil {
				t.Fatal(err)
			}
			sameWork(t, got, want)
			room := tiling.Room{Shared: true, Words: tiling.Words{units.Words(small.OnChip / units.WordBytes)}, Word: units.WordBytes}
			plan, err := tiling.New(program(), room, 0, hw.PE, nil)
			if err != nil {
				t.Fatal(err)
			}
			if planned, moved := plan.Traffic(), words(got); planned != moved {
				t.Errorf("%d words planned, %d moved", planned, moved)
			}
			if got.OnChip.Peak > small.OnChip {
				t.Errorf("%d bytes held in %d", got.OnChip.Peak, small.OnChip)
			}
		}
	})
}
