// Package sweep evaluates many design points: a grid or a list over networks,
// k, n, hardware and any key of a hardware file.
//
// A [Spec] says what to sweep. [NewPlan] counts and resolves its points: each
// has a key, the hash of its full input and of the program's version. [Run]
// evaluates those that no [Journal] holds yet, on all cores. [NewTable] lays the
// records out, and [Select], [Order], [Front] and [Merit] ask questions of it.
//
// What survives a kill. Every process writes a journal of its own, one line a
// finished point, and never touches another's. A point is finished when its
// line is in the file; a torn last line is a point that is not. All tables are
// made of journal lines, in the plan's order, so that they come out the same
// byte for byte whoever computed the lines, and when.
package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"accelsim/energy"
	"accelsim/hardware"
	"accelsim/network"
	"accelsim/schedule"
	"accelsim/sim"
)

// Fixed is what every point of a sweep has in common.
type Fixed struct {
	// Version names the program; results of different versions never mix.
	Version string
	Options sim.Options
	// Energy is the text of the file that Options.Energy was read from, "" for
	// each hardware's own table.
	Energy string
}

// Point is one design point.
type Point struct {
	// Key is the hash of everything that its result depends on.
	Key string
	// Values are the inputs by [Plan.Inputs], as text.
	Values []string
	// Refused says why the point cannot be simulated, "" if it can.
	Refused string

	k, n    int
	task    *task
	machine *machine
	traffic schedule.Traffic
	resides sim.Residency
	order   schedule.Order
	group   string // key of the points that share a baseline
}

// Plan is the points of a sweep, in order.
type Plan struct {
	Fixed  Fixed
	Inputs []string // names of the input columns
	Points []*Point
	// Twice counts points that the spec names more than once; they are kept once.
	Twice int
}

// task is a workload, or why there is none.
type task struct {
	workload *network.Workload
	text     [2]string // files that it was read from: network, activity
	err      error
}

// machine is hardware, or why there is none.
type machine struct {
	hardware *hardware.Hardware
	text     string
	err      error
}

// NewPlan resolves all points of a spec. Combinations that cannot be simulated
// are points with a reason; a value that is wrong in every combination is an
// error, and so are zero points and more than the limit.
func NewPlan(spec *Spec, fixed Fixed, limit int64) (*Plan, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	if n := spec.atLeast(); n > limit {
		return nil, &TooMany{n, limit}
	}
	p := &Plan{Fixed: fixed, Inputs: spec.inputs()}
	r := &resolver{
		plan: p, limit: limit, tasks: map[[6]string]*task{}, machines: map[string]*machine{},
		seen: map[string]bool{}, values: map[axisValue]*verdict{},
	}
	for _, g := range spec.grids() {
		if err := r.grid(g); err != nil {
			return nil, err
		}
	}
	if len(p.Points) == 0 {
		return nil, errors.New("the grid has zero points: every axis needs a value")
	}
	if err := r.hopeless(); err != nil {
		return nil, err
	}
	return p, nil
}

// TooMany says that a sweep has more points than it may.
type TooMany struct{ Points, Limit int64 }

// Error tells how many.
func (e *TooMany) Error() string {
	return fmt.Sprintf("the sweep has %d points or more; the limit is %d", e.Points, e.Limit)
}

type axisValue struct{ axis, value string }

// verdict collects whether a value of an axis works in any combination.
type verdict struct {
	works bool
	err   error
}

type resolver struct {
	plan     *Plan
	limit    int64
	tasks    map[[6]string]*task
	machines map[string]*machine
	seen     map[string]bool
	values   map[axisValue]*verdict
	order    []axisValue
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
	ks, err := g.cuts(axisK, t.workload)
	if err != nil {
		return err
	}
	ns, err := g.cuts(axisN, t.workload)
	if err != nil {
		return err
	}
	for _, k := range ks {
		for _, n := range ns {
			if int64(len(r.plan.Points)) >= r.limit {
				return &TooMany{r.limit + 1, r.limit}
			}
			p := &Point{k: k, n: n, task: t, machine: m, traffic: traffic, resides: resides, order: order, Refused: oneLine(refused)}
			if p.Refused == "" {
				p.Refused = oneLine(p.fits())
			}
			r.add(p, chosen)
		}
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

// add fills in a point's values and key.
func (r *resolver) add(p *Point, chosen map[string]string) {
	resolved := map[string]string{axisTraffic: trafficName(p.traffic), axisResidency: residencyLayer, axisSkipUnread: no, axisSchedule: p.order.String()}
	if p.resides.Resident {
		resolved[axisResidency] = residencyResident
	}
	if p.resides.SkipUnread {
		resolved[axisSkipUnread] = yes
	}
	for name, v := range map[string]int{axisK: p.k, axisN: p.n} {
		if resolved[name] = ""; v != 0 {
			resolved[name] = strconv.Itoa(v)
		}
	}
	if w := p.task.workload; w != nil {
		resolved[axisDataset], resolved[axisClassifier] = w.Dataset, w.Training.Classifier
		resolved[axisTimesteps], resolved[axisBatch] = strconv.Itoa(w.Timesteps), strconv.Itoa(w.Batch)
	}
	for _, name := range r.plan.Inputs {
		v, ok := resolved[name]
		if !ok {
			v = chosen[name]
		}
		p.Values = append(p.Values, v)
	}
	input := struct {
		Version, Energy string
		Untimed         bool
		Engine          int
		Inputs, Values  []string // without k and n
		Task            [2]string
		Machine         string
	}{
		r.plan.Fixed.Version, r.plan.Fixed.Energy, r.plan.Fixed.Options.Untimed, int(r.plan.Fixed.Options.Engine),
		nil, nil, p.task.text, p.machine.text,
	}
	for i, name := range r.plan.Inputs {
		// An input that a point does not have does not change it: the same point
		// in a sweep over more keys has the same key.
		if name != axisK && name != axisN && p.Values[i] != "" {
			input.Inputs, input.Values = append(input.Inputs, name), append(input.Values, p.Values[i])
		}
	}
	p.group = hash(input)
	p.Key = hash([]any{p.group, p.k, p.n})
	if r.seen[p.Key] {
		r.plan.Twice++
		return
	}
	r.seen[p.Key] = true
	r.plan.Points = append(r.plan.Points, p)
}

// hash returns 128 bits of the SHA-256 of a value's JSON, in hexadecimal.
func hash(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// fits refuses cuts that the schedule cannot make.
func (p *Point) fits() error {
	if err := p.task.workload.CheckInterval(p.k); err != nil {
		return err
	}
	blocks, err := p.task.workload.Net.Blocks(p.n)
	if err != nil {
		return err
	}
	return sim.CheckOrder(p.order, p.machine.hardware, len(blocks))
}

// task opens the workload of a combination, once.
func (r *resolver) task(chosen map[string]string) *task {
	var key [6]string
	for i, name := range []string{axisNet, axisDataset, axisTimesteps, axisBatch, axisClassifier, axisActivity} {
		key[i] = chosen[name]
	}
	t := r.tasks[key]
	if t == nil {
		t = &task{}
		t.err = t.open(key)
		r.tasks[key] = t
	}
	return t
}

func (t *task) open(key [6]string) error {
	net, dataset, timesteps, batch, classifier, activity := key[0], key[1], key[2], key[3], key[4], key[5]
	w, err := network.Open(net)
	if err != nil {
		return err
	}
	if !slices.Contains(network.Nets(), net) {
		text, err := os.ReadFile(net)
		if err != nil {
			return err
		}
		t.text[0] = string(text)
	}
	if dataset != "" {
		if err := w.SetDataset(dataset); err != nil {
			return err
		}
	}
	for _, v := range []struct {
		name, text string
		to         *int
	}{{axisTimesteps, timesteps, &w.Timesteps}, {axisBatch, batch, &w.Batch}} {
		if v.text == "" {
			continue
		}
		if *v.to, err = strconv.Atoi(v.text); err != nil {
			return fmt.Errorf("%s %q is not a whole number", v.name, v.text)
		}
	}
	if classifier != "" {
		w.Training.Classifier = classifier
	}
	if activity != "" {
		if err := w.SetActivity(activity); err != nil {
			return err
		}
		if text, err := os.ReadFile(activity); err == nil {
			t.text[1] = string(text)
		}
	}
	if err := w.Check(); err != nil {
		return fmt.Errorf("%s: %w", w.Name, err)
	}
	t.workload = w
	return nil
}

// machine reads the hardware of a combination, once.
func (r *resolver) machine(g Grid, chosen map[string]string) *machine {
	var settings []Setting
	for _, a := range g.ordered() {
		if a.Hardware {
			settings = append(settings, Setting{a.Name, chosen[a.Name]})
		}
	}
	key := hash([]any{chosen[axisHardware], settings})
	m := r.machines[key]
	if m == nil {
		m = &machine{}
		m.err = m.open(chosen[axisHardware], settings)
		r.machines[key] = m
	}
	return m
}

func (m *machine) open(name string, settings []Setting) error {
	text, filename, err := hardware.Source(name)
	if err != nil {
		return err
	}
	var with []string
	if len(settings) > 0 {
		for _, s := range settings {
			if text, err = s.apply(text); err != nil {
				return fmt.Errorf("%s: %w", filename, err)
			}
			with = append(with, s.Key+"="+s.Value)
		}
	}
	m.hardware, err = hardware.Read(text, filename)
	var wrong *hardware.Error
	switch {
	case err == nil:
		m.text = string(text) + hash(m.hardware.Energy) // which may be in a file of its own
	case len(with) > 0 && errors.As(err, &wrong):
		// Lines of the edited text are nobody's.
		return &hardware.Error{File: filename + " with " + strings.Join(with, ", "), Key: wrong.Key, Problem: wrong.Problem}
	}
	return err
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

// EnergyTable reads an energy file; "" is no table: each hardware has its own.
func EnergyTable(name string) (table energy.Table, text string, err error) {
	if name == "" {
		return table, "", nil
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return table, "", err
	}
	table, err = energy.Load(strings.NewReader(string(raw)), name)
	return table, string(raw), err
}
