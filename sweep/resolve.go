package sweep

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

// resolver makes a plan's points.
type resolver struct {
	plan  *Plan
	limit int64

	nets, rules, activities, hardware sources
	tasks                             map[taskKey]*task
	networks                          map[Key]*network.Network
	subjects                          map[Key]*Subject
	machines                          map[Key]*machine
	combinations                      map[Key]*combination
	seen                              map[Key]bool
	phrases                           map[string]string
	values                            map[axisValue]*verdict
	order                             []axisValue
}

func newResolver(p *Plan, limit int64) *resolver {
	return &resolver{
		plan: p, limit: limit, nets: sources{}, rules: sources{}, activities: sources{}, hardware: sources{},
		tasks: map[taskKey]*task{}, networks: map[Key]*network.Network{}, subjects: map[Key]*Subject{},
		machines: map[Key]*machine{}, combinations: map[Key]*combination{},
		seen: map[Key]bool{}, phrases: map[string]string{}, values: map[axisValue]*verdict{},
	}
}

type axisValue struct{ axis, value string }

// verdict collects whether a value of an axis works in any combination.
type verdict struct {
	works bool
	err   error
}

// grid adds all combinations of a grid, the last axes fastest.
func (r *resolver) grid(g Grid) error {
	chosen := map[string]string{}
	var walk func(axes []Axis) error
	walk = func(axes []Axis) error {
		if len(axes) == 0 {
			return r.cut(g, chosen)
		}
		for _, v := range axes[0].Values {
			chosen[axes[0].Name] = v
			if err := walk(axes[1:]); err != nil {
				return err
			}
		}
		return nil
	}
	var axes []Axis
	for _, a := range g.ordered() {
		if a.Name != axisK && a.Name != axisN {
			axes = append(axes, a)
		}
	}
	return walk(axes)
}

// cut adds the points of every k and n of one workload on one machine.
func (r *resolver) cut(g Grid, chosen map[string]string) error {
	t, m := r.task(chosen), r.machine(g, chosen)
	traffic, trafficErr := trafficOf(chosen[axisTraffic])
	resides, residencyErr := residencyOf(chosen)
	order, orderErr := orderOf(chosen[axisSchedule])
	for _, a := range g.ordered() {
		var err error
		switch {
		case a.Hardware || a.Name == axisHardware:
			err = m.err
		case a.Name == axisTraffic:
			err = trafficErr
		case a.Name == axisResidency || a.Name == axisSkipUnread:
			err = residencyErr
		case a.Name == axisSchedule:
			err = orderErr
		case a.Name != axisK && a.Name != axisN:
			err = t.err
		default:
			continue
		}
		r.judge(axisValue{a.Name, chosen[a.Name]}, err)
	}
	refused := errors.Join(t.err, m.err, trafficErr, residencyErr, orderErr)
	if traffic == schedule.Equations && resides != (sim.Residency{}) {
		refused = errors.Join(refused, errors.New("nothing is resident and every result is stored in the equations' traffic"))
	}
	c := &combination{
		workload: t.workload, subject: t.subject, machine: m, traffic: traffic, resides: resides, order: order,
	}
	r.seal(c, chosen, t, refused)
	if known := r.combinations[c.sum]; known != nil {
		c = known
	}
	r.combinations[c.sum] = c
	ks, err := g.cuts(axisK, t.workload, t.k)
	if err != nil {
		return err
	}
	ns, err := g.cuts(axisN, t.workload, t.n)
	if err != nil {
		return err
	}
	for _, k := range ks {
		for _, n := range ns {
			if int64(len(r.plan.Points)) >= r.limit {
				return &TooMany{r.limit + 1, r.limit}
			}
			p := &Point{k: int32(k), n: int32(n), combination: c, Refused: r.phrase(refused)}
			if p.Refused == "" {
				p.Refused = r.phrase(p.fits(m.hardware))
			}
			r.add(p)
		}
	}
	if m.err == nil {
		m.hardware = nil // read again where it is simulated: there may be a million
	}
	return nil
}

func (r *resolver) judge(v axisValue, err error) {
	j := r.values[v]
	if j == nil {
		j = &verdict{}
		r.values[v] = j
		r.order = append(r.order, v)
	}
	if j.err == nil {
		j.err = err
	}
	j.works = j.works || err == nil
}

// hopeless returns the error of a value that works in no combination, because
// of which nothing that has it can be simulated: a mistake, not a point.
func (r *resolver) hopeless() error {
	for _, v := range r.order {
		if j := r.values[v]; !j.works {
			return j.err
		}
	}
	return nil
}

// phrase returns an error's text: the same string for the same text.
func (r *resolver) phrase(err error) string {
	text := oneLine(err)
	if known, ok := r.phrases[text]; ok {
		return known
	}
	r.phrases[text] = text
	return text
}

// seal fills in a combination's values and the hash of all that its points'
// results depend on beside k and n.
func (r *resolver) seal(c *combination, chosen map[string]string, t *task, refused error) {
	resolved := map[string]string{
		axisTraffic: trafficName(c.traffic), axisResidency: residencyLayer, axisSkipUnread: no, axisSchedule: c.order.String(),
	}
	if c.resides.Resident {
		resolved[axisResidency] = residencyResident
	}
	if c.resides.SkipUnread {
		resolved[axisSkipUnread] = yes
	}
	if w := c.workload; w != nil {
		resolved[axisDataset], resolved[axisClassifier] = w.Dataset, w.Training.Classifier
		resolved[axisTimesteps], resolved[axisBatch] = strconv.Itoa(w.Timesteps), strconv.Itoa(w.Batch)
	}
	// An input that a point does not have does not change it: the same point in
	// a sweep over more keys has the same key.
	var names, values []string
	for _, name := range r.plan.Inputs[:len(r.plan.Inputs)-2] {
		v, ok := resolved[name]
		if !ok {
			v = chosen[name]
		}
		c.values = append(c.values, v)
		if v != "" {
			names, values = append(names, name), append(values, v)
		}
	}
	o := r.plan.Fixed.Options
	c.sum = content(struct {
		Version       string
		Energy        any
		Untimed       bool
		Engine        int
		Names, Values []string
		Task, Machine Key
		Refused       string
	}{r.plan.Fixed.Version, o.Energy, o.Untimed, int(o.Engine), names, values, t.content, c.machine.content, oneLine(refused)})
}

// add appends a point, unless it was named before.
func (r *resolver) add(p *Point) {
	p.Key = content([]any{p.sum, p.k, p.n})
	if r.seen[p.Key] {
		r.plan.Twice++
		return
	}
	r.seen[p.Key] = true
	r.plan.Points = append(r.plan.Points, p)
}

// fits refuses cuts that the schedule cannot make.
func (p *Point) fits(hw *hardware.Hardware) error {
	if err := p.workload.CheckInterval(int(p.k)); err != nil {
		return err
	}
	blocks, err := p.workload.Net.Blocks(int(p.n))
	if err != nil {
		return err
	}
	if err := p.workload.Training.Rule.Check(int(p.k), blocks); err != nil {
		return err
	}
	return sim.CheckOrder(p.order, hw, len(blocks))
}

func trafficOf(text string) (schedule.Traffic, error) {
	switch text {
	case "", "all":
		return schedule.All, nil
	case "equations":
		return schedule.Equations, nil
	}
	return schedule.All, fmt.Errorf("traffic %q; write all or equations", text)
}

func orderOf(text string) (schedule.Order, error) {
	if text == "" {
		return schedule.Sequential, nil
	}
	return schedule.ParseOrder(text)
}

// The values of the axes residency and skip-unread.
const (
	residencyLayer, residencyResident = "layer", "resident"
	no, yes                           = "no", "yes"
)

func residencyOf(chosen map[string]string) (r sim.Residency, err error) {
	choose := func(axis, first, second string, to *bool) {
		switch v := chosen[axis]; v {
		case "", first:
		case second:
			*to = true
		default:
			err = errors.Join(err, fmt.Errorf("%s %q; write %s or %s", axis, v, first, second))
		}
	}
	choose(axisResidency, residencyLayer, residencyResident, &r.Resident)
	choose(axisSkipUnread, no, yes, &r.SkipUnread)
	return r, err
}

func trafficName(t schedule.Traffic) string {
	if t == schedule.Equations {
		return "equations"
	}
	return "all"
}

// oneLine returns an error's text, "" for none.
func oneLine(err error) string {
	if err == nil {
		return ""
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
