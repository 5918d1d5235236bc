package op

import "github.com/accelsim-dev/accelsim/role"

// Observation shows a layer's, a pooling layer's or a classifier's neurons
// right after they fired, or a layer's output after addition and pooling. Its
// slices are valid during the call only.
type Observation struct {
	Time       int
	Layer      int  // 0: the classifier of Block
	Pool       bool // the pooling neurons after Layer
	Output     bool // what readers of Layer see; it has no potentials
	Block      int
	Potentials []float32 // [sample][row][column][channel]
	Spikes     []float32 // 0 or 1; of an output, after additions, more
}

// mapName tells which of a step's maps an observation shows.
type mapName struct {
	layer, block int
	pool, output bool
}

// gathered is a map that becomes complete tile by tile.
type gathered struct {
	values, potentials []float32
	missing            int
}

// gather puts a box of values into a whole.
func gather(to []float32, box role.Region, values []float32) {
	at := 0
	box.Runs(func(first, n int) {
		copy(to[first:first+n], values[at:])
		at += n
	})
}

// show lets the observer see a map when all of it has fired.
func (d *Chip) show(seen Observation, box role.Region, potentials, spikes []float32) {
	if d.observe == nil {
		return
	}
	if !box.All() {
		name := mapName{seen.Layer, seen.Block, seen.Pool, seen.Output}
		g := d.seen[name]
		if g == nil {
			g = &gathered{values: make([]float32, box.Total()), missing: box.Total()}
			d.seen[name] = g
		}
		if potentials != nil {
			if g.potentials == nil {
				g.potentials = make([]float32, box.Total())
			}
			gather(g.potentials, box, potentials)
		}
		gather(g.values, box, spikes)
		if g.missing -= box.Size(); g.missing > 0 {
			return
		}
		potentials, spikes = g.potentials, g.values
		delete(d.seen, name)
	}
	seen.Potentials, seen.Spikes = potentials, spikes
	d.observe(seen)
}
