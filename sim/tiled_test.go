package sim

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/vectortest"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// smallest returns the paper's hardware with as small a layer buffer as the
// program allows.
func smallest(t testing.TB, p *schedule.Program) *hardware.Hardware {
	t.Helper()
	hw := paperHardware(t)
	hw.OnChip = units.WordBytes
	var refused *tiling.TooSmall
	if _, err := Run(p, hw, Options{Untimed: true}); !errors.As(err, &refused) {
		t.Fatalf("in 4 bytes: %v", err)
	}
	hw.OnChip = refused.Needs
	return hw
}

func runIn(t testing.TB, p *schedule.Program, hw *hardware.Hardware, o Options) *Result {
	t.Helper()
	r, err := Run(p, hw, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVectorsComeThroughTheSmallestBuffer(t *testing.T) {
	for _, name := range vectorNames(t) {
		v := readVector(t, name)
		hw := smallest(t, v.program)
		want := runIn(t, v.program, paperHardware(t), Options{Untimed: true, Tensors: v.in})
		got := runIn(t, v.program, hw, Options{Tensors: v.in})
		if got.Steps < 4*want.Steps {
			t.Errorf("%s: %d tiles of %d steps", name, got.Steps, want.Steps)
		}
		for _, tensor := range v.Out.Names() {
			vectortest.Compare(t, name+", "+tensor, got.Tensors[tensor], v.Out[tensor])
		}
		if tensor := differ(want.Tensors, got.Tensors); tensor != "" {
			t.Errorf("%s: %s is not the same in tiles", name, tensor)
		}
		if got.Counts != want.Counts {
			t.Errorf("%s: counts %+v in tiles, %+v", name, got.Counts, want.Counts)
		}
		if !reflect.DeepEqual(got.Measured, want.Measured) {
			t.Errorf("%s: densities differ", name)
		}
	}
}

func TestFixedPointComesThroughTheSmallestBuffer(t *testing.T) {
	f, err := fixed.ParseFormats("q6.12")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"conv-bptt", "conv-local1", "conv-random", "direct-k1", "fc-bptt"} {
		v := readVector(t, name)
		d, err := fixed.New(v.workload, v.program.K, f)
		if err != nil {
			t.Fatal(err)
		}
		hw := smallest(t, v.program)
		o := Options{Untimed: true, Tensors: v.in, Datapath: d}
		want, got := runIn(t, v.program, paperHardware(t), o), runIn(t, v.program, hw, o)
		if tensor := differ(want.Tensors, got.Tensors); tensor != "" {
			t.Errorf("%s: %s is not the same in tiles", name, tensor)
		}
	}
}

// tiles are a plan's with one step changed.
type tiles struct {
	*tiling.Cursor
	number, at int
	edit       func(*schedule.Step)
}

func (x *tiles) Next(s *schedule.Step) bool {
	if !x.Cursor.Next(s) {
		return false
	}
	if x.number == x.at {
		x.edit(s)
	}
	x.number++
	return true
}

// A box that is off by one is refused: kernels check what they get.
func TestEveryBoxThatIsOffByOneIsRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, classifier := range []string{network.Trainable, network.Random} {
		p, in := openEverything(t, classifier)
		hw := smallest(t, p)
		plan, err := tiling.New(p, roomOf(hw), 0, hw.PE, nil)
		if err != nil {
			t.Fatal(err)
		}
		all := 0
		var s schedule.Step
		for c := plan.Start(); c.Next(&s); {
			all++
		}
		shifted := map[role.Role]int{}
		for range 150 {
			what := ""
			source := &tiles{Cursor: plan.Start(), at: r.IntN(all)}
			source.edit = func(s *schedule.Step) { what = shift(r, s, shifted) }
			_, err := Run(p, hw, Options{Untimed: true, Tensors: in, Source: source})
			if what != "" && err == nil {
				t.Errorf("nothing refuses a shifted box: %s", what)
			}
			if what == "" && err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []role.Role{
			role.Weight, role.Potential, role.PotentialError, role.WeightGradient, role.Spikes,
			role.NormSaved, role.SynapticError, role.PoolPotential, role.OutputError, role.Moment,
		} {
			if shifted[c] == 0 {
				t.Errorf("no box of %v was shifted", c)
			}
		}
	}
}

// What a tile does not load, or has no room for, it cannot compute with.
func TestEveryReadAndProductOfATileIsNeeded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	p, in := openEverything(t, network.Trainable)
	hw := smallest(t, p)
	want := runIn(t, p, hw, Options{Untimed: true, Tensors: in})
	plan, err := tiling.New(p, roomOf(hw), 0, hw.PE, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 150 {
		what := ""
		source := &tiles{Cursor: plan.Start(), at: r.IntN(int(want.Steps))}
		source.edit = func(s *schedule.Step) {
			i := r.IntN(len(s.Reads) + len(s.Products) + 1)
			switch j := i - len(s.Reads); {
			case j < 0:
				if read := s.Reads[i]; read.Region == (role.Region{}) || read.Region.Size() > 0 {
					what = "read of " + read.Tensor.String()
				}
				s.Reads = append(s.Reads[:i], s.Reads[i+1:]...)
			case j < len(s.Products):
				if made := s.Products[j]; made.Replaces != made.Tensor { // else it has its place, under its name
					what = "product " + made.Tensor.String()
				}
				s.Products = append(s.Products[:j], s.Products[j+1:]...)
			}
		}
		got, err := Run(p, hw, Options{Untimed: true, Tensors: in, Source: source})
		if what != "" && err == nil && differ(want.Tensors, got.Tensors) == "" {
			t.Errorf("nothing notices that a tile's %s is left out", what)
		}
	}
}

// shift moves the box of one transfer or product by one value in one dimension.
func shift(r *rand.Rand, s *schedule.Step, shifted map[role.Role]int) string {
	type box struct {
		role.Tensor
		*role.Region
	}
	var boxes []box
	for i := range s.Reads {
		boxes = append(boxes, box{s.Reads[i].Tensor, &s.Reads[i].Region})
	}
	for i := range s.Writes {
		boxes = append(boxes, box{s.Writes[i].Tensor, &s.Writes[i].Region})
	}
	for i := range s.Products {
		if !s.Products[i].InPlace {
			boxes = append(boxes, box{s.Products[i].Tensor, &s.Products[i].Region})
		}
	}
	r.Shuffle(len(boxes), func(i, j int) { boxes[i], boxes[j] = boxes[j], boxes[i] })
	for _, b := range boxes {
		for d := range b.Of {
			if b.Size() == 0 || b.To[d] == b.Of[d] || b.Class == role.PartialSum {
				continue
			}
			b.From[d]++
			b.To[d]++
			shifted[b.Class]++
			return b.Tensor.String() + " " + b.Region.String()
		}
	}
	return ""
}
