package tiling

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// TestStagesOfOneShapeHaveTheSameTilings, of whatever layers, networks and
// batches they are: all that are found are held to a list of their own.
func TestStagesOfOneShapeHaveTheSameTilings(t *testing.T) {
	room := Room{Shared: true}
	alike := 0
	for _, array := range arrays {
		known := map[string][]tiling{}
		for _, layers := range append(smallNets, "4C3-4C3-4C3-12FC-12FC-5FC", "4C3-BN-4C3-BN-4RB-BN-4RB-BN-7FC") {
			for _, batchSize := range []int{1, 3} {
				stagesOf(roomy(t, workload(t, layers, 6, batchSize)), func(what string, g *stage) {
					own := g.frontier(ask(array, g), room)
					shape := string(g.shape(nil))
					if list, there := known[shape]; there {
						alike++
						if !slices.Equal(list, own) {
							t.Errorf("%s %s has other tilings than a stage of its shape", layers, what)
						}
					}
					known[shape] = own
				})
			}
		}
	}
	if alike < 100 {
		t.Errorf("only %d stages are like others", alike)
	}
}

// TestShapeHasAllOfAStage: two stages that differ in one number are two shapes. A
// new field of a matrix has to be in it, too.
func TestShapeHasAllOfAStage(t *testing.T) {
	seen := map[string]string{}
	note := func(what string, change func(*stage)) {
		g := stage{
			products: make([]product, 1), operands: []operand{{spans: spans{1: {{}}}}}, holds: make([]holding, 1),
			elements: []element{{hasRead: true}, {isResult: true}},
			pins:     func(role.Tensor) bool { return false },
		}
		change(&g)
		shape := string(g.shape(nil))
		if other, there := seen[shape]; there {
			t.Errorf("%s and %s have the same shape", what, other)
		}
		seen[shape] = what
	}
	note("nothing", func(*stage) {})
	work := reflect.TypeFor[pe.Matrix]()
	for i := range work.NumField() {
		note("work."+work.Field(i).Name, func(g *stage) {
			switch f := reflect.ValueOf(&g.products[0].work).Elem().Field(i); f.Kind() {
			case reflect.Float64:
				f.SetFloat(0.5)
			default:
				f.SetInt(7)
			}
		})
	}
	for d := range dimensions {
		note("dims", func(g *stage) { g.dims[d] = 2 })
		note("grain", func(g *stage) { g.grain[d] = 2 })
		note("uncut", func(g *stage) { g.uncut[d] = true })
		note("depends", func(g *stage) { g.operands[0].depends[d] = true })
		note("cuts", func(g *stage) { g.products[0].cuts[d] = termAxis })
		note("share", func(g *stage) { g.products[0].share[d].n = 3 })
		note("share's whole", func(g *stage) { g.products[0].share[d].of = 3 })
		note("share's span", func(g *stage) { g.products[0].share[d].under.kind = pooledSpan })
	}
	for a := range axes {
		note("fixed", func(g *stage) { g.products[0].fixed[a] = 9 })
	}
	note("gradient", func(g *stage) { g.gradient = true })
	note("ordered", func(g *stage) { g.ordered = true })
	note("operand's words", func(g *stage) { g.operands[0].Words = 4 })
	note("operand's buffer", func(g *stage) { g.operands[0].Tensor.Class = role.Spikes })
	note("generated", func(g *stage) { g.operands[0].generated = true })
	note("span's kind", func(g *stage) { g.operands[0].spans[1][0].kind = windowSpan })
	for i, number := range []func(*span) *int64{
		func(s *span) *int64 { return &s.of }, func(s *span) *int64 { return &s.own }, func(s *span) *int64 { return &s.pool }, func(s *span) *int64 { return &s.whole },
		func(s *span) *int64 { return &s.stride }, func(s *span) *int64 { return &s.pad }, func(s *span) *int64 { return &s.kernel },
	} {
		note(fmt.Sprint("number ", i, " of a span"), func(g *stage) { *number(&g.operands[0].spans[1][0]) = 5 })
	}
	note("element's read", func(g *stage) { g.elements[0].read.Words = 4 })
	note("element's buffer", func(g *stage) { g.elements[0].read.Tensor.Class = role.Spikes })
	note("element's product", func(g *stage) { g.elements[1].product.Words = 4 })
	note("no product", func(g *stage) { g.elements[1].isResult = false })
	note("what is on chip", func(g *stage) { g.holds[0].words = 4 })
	note("another span", func(g *stage) { g.operands[0].spans[1] = append(g.operands[0].spans[1], span{}) })
	note("another product", func(g *stage) { g.products = append(g.products, product{}) })
	note("another operand", func(g *stage) { g.operands = append(g.operands, operand{}) })
}

// TestOneBufferIsNotSeveral: a memo tells the two apart.
func TestOneBufferIsNotSeveral(t *testing.T) {
	different := 0
	memo := new(Memo)
	stagesOf(roomy(t, workload(t, smallNets[0], 6, 3)), func(what string, g *stage) {
		for _, room := range []Room{{Shared: true}, {}} {
			if got := memo.frontier(g, arrays[0], room); !slices.Equal(got, g.frontier(ask(arrays[0], g), room)) {
				t.Errorf("%s has other tilings by a memo, one buffer for all: %v", what, room.Shared)
			}
		}
		if !slices.Equal(g.frontier(ask(arrays[0], g), Room{Shared: true}), g.frontier(ask(arrays[0], g), Room{})) {
			different++
		}
	})
	if different == 0 {
		t.Error("no stage has other tilings in several buffers")
	}
}

// TestAMemoChangesNoPlan: shared by programs, rooms and arrays, made one after the
// other or at the same time, by a memo that holds all or forgets all the time.
func TestAMemoChangesNoPlan(t *testing.T) {
	type design struct {
		program *schedule.Program
		room    Room
		array   pe.Array
		want    *Plan
	}
	var designs []design
	for _, layers := range smallNets {
		for _, k := range []int{1, 2} {
			p, err := schedule.New(workload(t, layers, 12, 4), k, 1, schedule.All)
			if err != nil {
				t.Fatal(err)
			}
			for _, array := range arrays[:2] {
				for _, room := range []Room{
					{Shared: true, Words: Words{1000}, Word: units.WordBytes},
					{Shared: true, Words: Words{4000}, Word: units.WordBytes},
					{Words: Words{4000, 4000, 4000, 4000}, Word: units.WordBytes},
				} {
					if plan, err := New(p, room, 0, array, nil); err == nil {
						designs = append(designs, design{p, room, array, plan})
					}
				}
			}
		}
	}
	if len(designs) < 20 {
		t.Fatalf("only %d designs fit", len(designs))
	}
	for _, memo := range []*Memo{{}, {most: 1}, {most: 500}} {
		var all sync.WaitGroup
		for _, d := range designs {
			all.Go(func() {
				got, err := New(d.program, d.room, 0, d.array, memo)
				if err != nil {
					t.Error(err)
					return
				}
				if got.moved != d.want.moved || got.idle != d.want.idle || !reflect.DeepEqual(got.cuts, d.want.cuts) || !slices.Equal(got.spill, d.want.spill) {
					t.Errorf("%d words move with a memo that holds %d, %d without", got.moved, memo.most, d.want.moved)
				}
			})
		}
		all.Wait()
		if memo.most == 1 && len(memo.known) > 2 {
			t.Errorf("a memo of one tiling holds %d lists", len(memo.known))
		}
	}
}

// TestNothingIsWorkedOutTwice: a second plan of the same program asks for nothing
// that is not known, and another (k, n) for little.
func TestNothingIsWorkedOutTwice(t *testing.T) {
	memo := new(Memo)
	made := func(k, n int) int {
		before := len(memo.known)
		p, err := schedule.New(workload(t, smallNets[0], 12, 4), k, n, schedule.All)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(p, Room{Shared: true, Words: Words{2000}, Word: units.WordBytes}, 0, arrays[0], memo); err != nil {
			t.Fatal(err)
		}
		return len(memo.known) - before
	}
	first := made(2, 1)
	if again := made(2, 1); first == 0 || again != 0 {
		t.Errorf("%d lists of tilings are made, and for the same plan again %d", first, again)
	}
	if other := made(1, 3); other >= first {
		t.Errorf("BPTT needs %d lists more than the %d of (2,1)", other, first)
	}
}

// TestCursorsOfOnePlanDoNotMeet: two that take turns, and two at the same time,
// yield the same steps as one alone.
func TestCursorsOfOnePlanDoNotMeet(t *testing.T) {
	p, err := schedule.New(workload(t, smallNets[1], 12, 4), 2, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := New(p, Room{Shared: true, Words: Words{1500}, Word: units.WordBytes}, 0, arrays[0], nil)
	if err != nil || !plan.Tiled() {
		t.Fatal(plan, err)
	}
	text := func(c *Cursor, meanwhile func()) (list []schedule.Step) {
		for s := (schedule.Step{}); c.Next(&s); s = (schedule.Step{}) {
			list = append(list, s)
			meanwhile()
		}
		return list
	}
	want := text(plan.Start(), func() {})
	var s schedule.Step
	other := plan.Start()
	if got := text(plan.Start(), func() { other.Next(&s) }); !reflect.DeepEqual(got, want) {
		t.Error("a cursor's steps change when another one goes on in between")
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if got := text(plan.Start(), func() {}); !reflect.DeepEqual(got, want) {
				t.Error("a cursor's steps change when another one goes on at the same time")
			}
		})
	}
	both.Wait()
}
