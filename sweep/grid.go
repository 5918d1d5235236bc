package sweep

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/network"
)

// The axes that are not keys of a hardware file.
const (
	axisNet        = "net"
	axisDataset    = "dataset"
	axisTimesteps  = "timesteps"
	axisBatch      = "batch"
	axisRule       = "rule"
	axisClassifier = "classifier"
	axisActivity   = "activity"
	axisTraffic    = "traffic"
	axisResidency  = "residency"
	axisSkipUnread = "skip-unread"
	axisSchedule   = "schedule"
	axisHardware   = "hw"
	axisK          = "k"
	axisN          = "n"

	keySet    = "set"
	keyPoints = "points"
)

// Axes names them, slowest first; hardware keys come before the last two.
var Axes = []string{
	axisNet, axisDataset, axisTimesteps, axisBatch, axisRule, axisClassifier, axisActivity,
	axisTraffic, axisResidency, axisSkipUnread, axisSchedule, axisHardware, axisK, axisN,
}

// defaultHardware is what `run` takes too.
const defaultHardware = "paper"

// Axis is one dimension of a grid.
type Axis struct {
	Name     string
	Hardware bool // Name is a key of the hardware file: "dram.device"
	Values   []string
}

// NewAxis checks what can be known of an axis alone.
func NewAxis(name string, values []string) (Axis, error) {
	if !slices.Contains(Axes, name) {
		return Axis{}, fmt.Errorf("%q is not an axis%s; there are %s, and set for keys of the hardware file",
			name, spelling.Suggest(name, Axes), strings.Join(Axes, ", "))
	}
	for _, v := range values {
		if name == axisK || name == axisN {
			if _, err := parseCut(v); err != nil {
				return Axis{}, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return newAxis(name, false, values)
}

// ParseSettings reads settings as [ParseSetting]. One that names the same key
// again adds its values to those before.
func ParseSettings(texts []string) ([]Axis, error) {
	var all Grid
	for _, text := range texts {
		a, err := ParseSetting(text)
		if err != nil {
			return nil, err
		}
		if before, twice := all.find(a.Name); twice {
			a.Values = slices.Concat(before.Values, a.Values)
		}
		all.set(a)
	}
	return all, nil
}

// ParseSetting reads "dram.device=ddr4-2400,hbm2": a key of the hardware file
// and the values to give it.
func ParseSetting(text string) (Axis, error) {
	key, values, ok := strings.Cut(text, "=")
	if !ok || key == "" || values == "" {
		return Axis{}, fmt.Errorf("%q is not KEY=VALUE,VALUE; write for example dram.device=ddr4-2400,hbm2", text)
	}
	return newAxis(strings.TrimSpace(key), true, strings.Split(values, ","))
}

func newAxis(name string, hardware bool, values []string) (Axis, error) {
	a := Axis{Name: name, Hardware: hardware}
	if hardware && slices.Contains(Axes, name) {
		return a, fmt.Errorf("%s is not a key of the hardware file; it is an axis of its own", name)
	}
	for _, v := range values {
		v = strings.TrimSpace(v)
		if v == "" {
			return a, fmt.Errorf("%s has an empty value", name)
		}
		a.Values = append(a.Values, v)
	}
	return a, nil
}

// Grid is axes; its points are all combinations.
type Grid []Axis

// set adds an axis or replaces the one of that name.
func (g *Grid) set(a Axis) {
	for i := range *g {
		if (*g)[i].Name == a.Name {
			(*g)[i] = a
			return
		}
	}
	*g = append(*g, a)
}

func (g Grid) find(name string) (Axis, bool) {
	for _, a := range g {
		if a.Name == name {
			return a, true
		}
	}
	return Axis{}, false
}

// ordered returns the axes, slowest first: those of [Axes] in that order,
// hardware keys as they were given before k and n.
func (g Grid) ordered() Grid {
	rank := func(a Axis) int {
		if a.Hardware {
			return slices.Index(Axes, axisHardware)*2 + 1
		}
		return slices.Index(Axes, a.Name) * 2
	}
	sorted := slices.Clone(g)
	slices.SortStableFunc(sorted, func(a, b Axis) int { return rank(a) - rank(b) })
	return sorted
}

// Spec says what to sweep: a grid, or a list of grids that each replace some
// of its axes. The zero Spec is empty.
type Spec struct {
	Grid Grid
	List []Grid
}

// Override gives an axis other values, everywhere.
func (s *Spec) Override(a Axis) {
	s.Grid.set(a)
	for i, g := range s.List {
		s.List[i] = slices.DeleteFunc(g, func(b Axis) bool { return b.Name == a.Name })
	}
}

// grids returns the grids whose points are the sweep.
func (s *Spec) grids() []Grid {
	top := slices.Clone(s.Grid)
	if _, ok := top.find(axisHardware); !ok {
		top.set(Axis{Name: axisHardware, Values: []string{defaultHardware}})
	}
	if s.List == nil {
		return []Grid{top}
	}
	var all []Grid
	for _, own := range s.List {
		g := slices.Clone(top)
		for _, a := range own {
			g.set(a)
		}
		all = append(all, g)
	}
	return all
}

func (s *Spec) check() error {
	for _, g := range s.grids() {
		if _, ok := g.find(axisNet); !ok {
			return fmt.Errorf("net is missing; name one of %s, or a workload file", strings.Join(network.Nets(), ", "))
		}
	}
	return nil
}

// inputs names the input columns: all axes, and the hardware keys that occur.
func (s *Spec) inputs() []string {
	var keys []string
	for _, g := range s.grids() {
		for _, a := range g {
			if a.Hardware && !slices.Contains(keys, a.Name) {
				keys = append(keys, a.Name)
			}
		}
	}
	cuts := len(Axes) - 2
	return slices.Concat(Axes[:cuts], keys, Axes[cuts:])
}

// atLeast counts the points without making them; "all" counts as one.
func (s *Spec) atLeast() int64 {
	var total int64
	for _, g := range s.grids() {
		product := int64(1)
		for _, a := range g {
			var size int64
			for _, v := range a.Values {
				width := int64(1)
				if a.Name == axisK || a.Name == axisN {
					if c, err := parseCut(v); err == nil && c.word == "" {
						width = int64(c.last-c.first) + 1
					}
				}
				size += width
			}
			if product != 0 && size > math.MaxInt64/2/product {
				return math.MaxInt64
			}
			product *= size
		}
		if total += product; total < 0 {
			return math.MaxInt64
		}
	}
	return total
}

// cut is one value of the axes k and n: a number, a range, or a word that
// depends on the workload.
type cut struct {
	first, last int
	word        string // "all", "max"
}

// Words that stand for cuts.
const (
	wordAll = "all" // every divisor of T, every n
	wordMax = "max" // T, N: with both, standard BPTT
)

func parseCut(text string) (cut, error) {
	if text == wordAll || text == wordMax {
		return cut{word: text}, nil
	}
	first, last, ranged := strings.Cut(text, "..")
	a, errA := strconv.ParseInt(first, 10, 32)
	b, errB := a, error(nil)
	if ranged {
		b, errB = strconv.ParseInt(last, 10, 32)
	}
	if errA != nil || errB != nil || a < 1 || b < a {
		return cut{}, fmt.Errorf("%q is not a number from 1, a range like 1..8, %s or %s", text, wordAll, wordMax)
	}
	return cut{first: int(a), last: int(b)}, nil
}

// cuts returns the values of k or n for a workload, where no axis has them that of its
// rule; without a workload, words have no value and stand as 0.
func (g Grid) cuts(name string, w *network.Workload, byRule network.Extent) ([]int, error) {
	a, ok := g.find(name)
	switch {
	case ok:
	case byRule > 0:
		a.Values = []string{byRule.String()}
	default:
		a.Values = []string{wordMax}
	}
	var values []int
	for _, text := range a.Values {
		c, err := parseCut(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		switch {
		case c.word == "":
			for v := c.first; v <= c.last; v++ {
				values = append(values, v)
			}
		case w == nil:
			values = append(values, 0)
		case c.word == wordMax && name == axisK:
			values = append(values, w.Timesteps)
		case c.word == wordMax:
			values = append(values, w.Net.N())
		case name == axisK:
			values = append(values, network.Divisors(w.Timesteps)...)
		default:
			for v := 1; v <= w.Net.N(); v++ {
				values = append(values, v)
			}
		}
	}
	return values, nil
}

// ReadSpec parses a sweep file:
//
//	net: [alexnet, lenet1]
//	k: [1, 10, max]
//	n: all
//	set:
//	  dram.device: [ddr4-2400, hbm2]
//	points:              # optional: each replaces some of the axes above
//	  - {net: lenet1, n: 2}
func ReadSpec(text []byte, filename string) (*Spec, error) {
	d, err := config.Parse(text, filename, "a grid")
	if err != nil {
		return nil, err
	}
	s := &Spec{}
	s.Grid, s.List, err = specReader{d}.grid(d.Root, "", true)
	if err != nil {
		return nil, err
	}
	return s, nil
}

type specReader struct{ *config.Document }

// grid reads a mapping of axes; only the outermost may hold points.
func (r specReader) grid(n *config.Node, section string, outermost bool) (g Grid, list []Grid, err error) {
	keys := append(slices.Clone(Axes), keySet)
	if outermost {
		keys = append(keys, keyPoints)
	}
	err = r.each(n, section, func(key string, p config.Pair) error {
		switch {
		case p.Name == keySet:
			return r.settings(p.Value, key, "", &g)
		case p.Name == keyPoints && outermost:
			list, err = r.points(p.Value)
			return err
		case !slices.Contains(keys, p.Name):
			return r.At(p.Line, key, "%s", config.NotAKey(p.Name, keys))
		}
		values, err := r.values(p.Value, key)
		if err != nil {
			return err
		}
		a, err := NewAxis(p.Name, values)
		if err != nil {
			return r.At(p.Value.Line, section, "%w", err)
		}
		g = append(g, a)
		return nil
	})
	return g, list, err
}

// points reads grids that each replace some of the axes.
func (r specReader) points(n *config.Node) ([]Grid, error) {
	if n.Kind != config.Sequence {
		return nil, r.At(n.Line, keyPoints, "must be a list of mappings, such as %q", "- {k: 1, n: 2}")
	}
	list := []Grid{}
	for i, item := range n.Items {
		g, _, err := r.grid(item, fmt.Sprintf("%s[%d]", keyPoints, i), false)
		if err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}

// each calls f for the keys of a mapping.
func (r specReader) each(n *config.Node, section string, f func(key string, p config.Pair) error) error {
	if n.Kind != config.Mapping {
		return r.At(n.Line, section, "must be a mapping of keys to values, such as %q", "net: alexnet")
	}
	for _, p := range n.Pairs {
		if err := f(strings.TrimPrefix(section+"."+p.Name, "."), p); err != nil {
			return err
		}
	}
	return nil
}

// settings reads keys of the hardware file, nested or with dots.
func (r specReader) settings(n *config.Node, section, prefix string, g *Grid) error {
	return r.each(n, section, func(key string, p config.Pair) error {
		name := prefix + p.Name
		if p.Value.Kind == config.Mapping {
			return r.settings(p.Value, key, name+".", g)
		}
		values, err := r.values(p.Value, key)
		if err != nil {
			return err
		}
		if _, twice := g.find(name); twice {
			return r.At(p.Line, key, "is there twice")
		}
		a, err := newAxis(name, true, values)
		if err != nil {
			return r.At(p.Line, section, "%w", err)
		}
		*g = append(*g, a)
		return nil
	})
}

// values reads one value or a list, as they are written.
func (r specReader) values(n *config.Node, key string) ([]string, error) {
	switch n.Kind {
	case config.Scalar:
		return []string{n.Text}, nil
	case config.Sequence:
		var values []string
		for _, item := range n.Items {
			if item.Kind == config.Sequence {
				return nil, r.At(item.Line, key, "a value is a list")
			}
			one, err := r.values(item, key)
			if err != nil {
				return nil, err
			}
			values = append(values, one...)
		}
		return values, nil
	}
	return nil, r.At(n.Line, key, "needs a value or a list of values")
}
