package tiling

import (
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/accelsim-dev/accelsim/pe"
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

// TestShapeHasAllOfAProduct: two products that differ in one number are two
// shapes. A new field of a matrix has to be in it, too.
func TestShapeHasAllOfAProduct(t *testing.T) {
	base := stage{products: make([]product, 1)}
	seen := map[string]string{string(base.shape(nil)): "nothing"}
	note := func(what string, change func(*product)) {
		g := stage{products: make([]product, 1)}
		change(&g.products[0])
		shape := string(g.shape(nil))
		if other, there := seen[shape]; there {
			t.Errorf("%s and %s have the same shape", what, other)
		}
		seen[shape] = what
	}
	work := reflect.TypeFor[pe.Matrix]()
	for i := range work.NumField() {
		note("work."+work.Field(i).Name, func(p *product) {
			switch f := reflect.ValueOf(&p.work).Elem().Field(i); f.Kind() {
			case reflect.Float64:
				f.SetFloat(0.5)
			default:
				f.SetInt(7)
			}
		})
	}
	for d := range dimensions {
		note("cuts", func(p *product) { p.cuts[d] = termAxis })
		note("share", func(p *product) { p.share[d].n = 3 })
		note("share's whole", func(p *product) { p.share[d].of = 3 })
		note("share's span", func(p *product) { p.share[d].under.kind = pooledSpan })
		note("share's window", func(p *product) { p.share[d].under.pool = 2 })
	}
	for a := range p0(base).fixed {
		note("fixed", func(p *product) { p.fixed[a] = 9 })
	}
}

func p0(g stage) *product { return &g.products[0] }

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
